// MemoryRegistry: a registry that forgets; for tests of what stands on one. It keeps the contract:
// registry_test.cc holds it and the real one to the same tests.
#pragma once

#include <mutex>
#include <utility>

#include "registry/document.h"
#include "registry/registry.h"

namespace nando {

class MemoryRegistry final : public Registry {
 public:
  Result<Document> get(std::string_view kind, std::string_view id) override {
    const std::lock_guard lock(mutex_);
    const auto found = documents_.find({std::string(kind), std::string(id)});
    if (found == documents_.end()) return Error{Code::not_found, "there is no such document"};
    return found->second;
  }

  Result<std::vector<Document>> list(std::string_view kind) override {
    const std::lock_guard lock(mutex_);
    std::vector<Document> found;
    for (const auto& [key, document] : documents_) {
      if (key.first == kind) found.push_back(document);
    }
    return found;
  }

  Result<Version> put(std::string_view kind, std::string_view id, const Fields& fields,
                      Version expected) override {
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    if (kind.empty() || id.empty() || kind.size() > kDocumentNameBytesMax ||
        id.size() > kDocumentNameBytesMax || encode_fields(fields).size() > kDocumentBytesMax) {
      return Error{Code::invalid, "past a limit"};
    }
    const std::pair key{std::string(kind), std::string(id)};
    const auto found = documents_.find(key);
    const auto there = found == documents_.end() ? kNoVersion : found->second.version;
    if (there != expected) return Error{Code::conflict, "another version is there"};
    documents_[key] = {key.second, expected + 1, fields};
    return expected + 1;
  }

  Result<> remove(std::string_view kind, std::string_view id, Version expected) override {
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    const auto found = documents_.find({std::string(kind), std::string(id)});
    if (found == documents_.end()) return Error{Code::not_found, "there is no such document"};
    if (found->second.version != expected) return Error{Code::conflict, "another version is there"};
    documents_.erase(found);
    return {};
  }

  Result<> copy_to(const std::string& path) override {
    return Error{Code::io, "cannot write " + path + ": this one is in memory only"};
  }

  // From now on every change fails so, and changes nothing. Nothing: they succeed again.
  void fail_changes(std::optional<Error> failure) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(failure);
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Document> documents_;
  std::optional<Error> failure_;
};

}  // namespace nando
