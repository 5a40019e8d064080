#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/entropy.h"
#include "registry/memory_registry.h"
#include "registry/sqlite.h"

namespace nando {
namespace {

std::string make_folder() {
  auto name = testing::TempDir() + "registry-XXXXXX";
  EXPECT_NE(mkdtemp(name.data()), nullptr);
  return name;
}

std::string file_in(const std::string& folder) {
  return folder + "/" + std::string(kRegistryFile);
}

std::string read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// In place: a file system syncs a file that was emptied and written again.
void write_all(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::app).close();
  std::fstream(path, std::ios::binary | std::ios::in | std::ios::out) << bytes;
  std::filesystem::resize_file(path, bytes.size());
}

std::unique_ptr<Registry> open_or_die(const std::string& folder) {
  auto registry = open_registry(folder);
  EXPECT_TRUE(registry) << registry.error().message;
  return std::move(*registry);
}

// What any registry promises, held by the real one and by the one for tests.
template <class T>
class AnyRegistry : public testing::Test {};

struct Sqlite {
  std::string folder = make_folder();
  std::unique_ptr<Registry> registry = open_or_die(folder);
};
struct Memory {
  std::unique_ptr<Registry> registry = std::make_unique<MemoryRegistry>();
};
using Kinds = testing::Types<Sqlite, Memory>;
TYPED_TEST_SUITE(AnyRegistry, Kinds);

TYPED_TEST(AnyRegistry, WhatWentInComesOut) {
  TypeParam made;
  const Fields fields{
      {"", ""}, {"name", std::string("a\0b\xff\n", 5)}, {"long", std::string(5000, 'x')}};
  const auto version = made.registry->put("site", "7", fields, kNoVersion);
  ASSERT_TRUE(version) << version.error().message;
  const auto document = made.registry->get("site", "7");
  ASSERT_TRUE(document);
  EXPECT_EQ(*document, (Document{"7", *version, fields}));
}

TYPED_TEST(AnyRegistry, VersionRisesByOneWithEachChange) {
  TypeParam made;
  EXPECT_EQ(made.registry->put("site", "7", {}, kNoVersion).value(), 1U);
  EXPECT_EQ(made.registry->put("site", "7", {{"a", "1"}}, 1).value(), 2U);
  EXPECT_EQ(made.registry->get("site", "7")->version, 2U);
}

TYPED_TEST(AnyRegistry, WhoReadAnOldVersionChangesNothing) {
  TypeParam made;
  ASSERT_TRUE(made.registry->put("site", "7", {{"a", "1"}}, kNoVersion));
  ASSERT_TRUE(made.registry->put("site", "7", {{"a", "2"}}, 1));
  EXPECT_EQ(made.registry->put("site", "7", {{"a", "3"}}, 1).error().code, Code::conflict);
  EXPECT_EQ(made.registry->put("site", "7", {{"a", "3"}}, kNoVersion).error().code, Code::conflict);
  EXPECT_EQ(made.registry->put("site", "8", {{"a", "3"}}, 1).error().code, Code::conflict);
  EXPECT_EQ(made.registry->remove("site", "7", 1).error().code, Code::conflict);
  EXPECT_EQ(made.registry->get("site", "7")->fields, (Fields{{"a", "2"}}));
  EXPECT_FALSE(made.registry->get("site", "8"));
}

TYPED_TEST(AnyRegistry, RemovedIsGoneAndMayBeMadeAgain) {
  TypeParam made;
  ASSERT_TRUE(made.registry->put("site", "7", {}, kNoVersion));
  ASSERT_TRUE(made.registry->remove("site", "7", 1));
  EXPECT_EQ(made.registry->get("site", "7").error().code, Code::not_found);
  EXPECT_EQ(made.registry->remove("site", "7", 1).error().code, Code::not_found);
  EXPECT_TRUE(made.registry->put("site", "7", {}, kNoVersion));
}

TYPED_TEST(AnyRegistry, ListsOneKindById) {
  TypeParam made;
  for (const auto* id : {"b", "a", "c"})
    ASSERT_TRUE(made.registry->put("site", id, {}, kNoVersion));
  ASSERT_TRUE(made.registry->put("sites", "x", {}, kNoVersion));
  ASSERT_TRUE(made.registry->put("sit", "y", {}, kNoVersion));
  const auto found = made.registry->list("site");
  ASSERT_TRUE(found);
  std::string ids;
  for (const auto& document : *found) ids += document.id;
  EXPECT_EQ(ids, "abc");
}

TYPED_TEST(AnyRegistry, LimitsHoldAtTheLimitAndRefuseOnePast) {
  TypeParam made;
  const std::string name(kDocumentNameBytesMax, 'n');
  EXPECT_TRUE(made.registry->put(name, name, {}, kNoVersion));
  EXPECT_EQ(made.registry->put(name + "n", "1", {}, kNoVersion).error().code, Code::invalid);
  EXPECT_EQ(made.registry->put("a", name + "n", {}, kNoVersion).error().code, Code::invalid);
  EXPECT_EQ(made.registry->put("", "1", {}, kNoVersion).error().code, Code::invalid);
  EXPECT_EQ(made.registry->put("a", "", {}, kNoVersion).error().code, Code::invalid);

  Fields fields{{"a", std::string(kDocumentBytesMax - 10, 'x')}};
  fields["a"].resize(fields["a"].size() + kDocumentBytesMax - encode_fields(fields).size(), 'x');
  ASSERT_EQ(encode_fields(fields).size(), kDocumentBytesMax);
  EXPECT_TRUE(made.registry->put("a", "1", fields, kNoVersion));
  fields["a"] += 'x';
  EXPECT_EQ(made.registry->put("a", "2", fields, kNoVersion).error().code, Code::invalid);
}

TEST(Registry, TakesDocumentsUpToItsLimitAndThenNone) {
  const auto folder = make_folder();
  auto registry = open_registry(folder, 3);
  ASSERT_TRUE(registry);
  for (const auto* id : {"1", "2", "3"}) ASSERT_TRUE((*registry)->put("a", id, {}, kNoVersion));
  EXPECT_EQ((*registry)->put("a", "4", {}, kNoVersion).error().code, Code::invalid);
  EXPECT_TRUE((*registry)->put("a", "3", {{"x", "y"}}, 1));
  ASSERT_TRUE((*registry)->remove("a", "1", 1));
  EXPECT_TRUE((*registry)->put("a", "4", {}, kNoVersion));
}

TEST(Registry, KeepsEverythingOverARestart) {
  const auto folder = make_folder();
  {
    auto registry = open_or_die(folder);
    ASSERT_TRUE(registry->put("a", "1", {{"x", "1"}}, kNoVersion));
    ASSERT_TRUE(registry->put("a", "2", {{"x", "2"}}, kNoVersion));
    ASSERT_TRUE(registry->put("a", "1", {{"x", "3"}}, 1));
    ASSERT_TRUE(registry->remove("a", "2", 1));
  }
  auto registry = open_or_die(folder);
  EXPECT_EQ(*registry->list("a"), (std::vector<Document>{{"1", 2, {{"x", "3"}}}}));
}

TEST(Registry, FileIsForItsOwnerAlone) {
  const auto folder = make_folder();
  open_or_die(folder);
  EXPECT_EQ(std::filesystem::status(file_in(folder)).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(Registry, EmptyFileIsDamageAndNotAFreshStart) {
  const auto folder = make_folder();
  open_or_die(folder);
  write_all(file_in(folder), "");
  const auto opened = open_registry(folder);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::corrupt);
  EXPECT_NE(opened.error().message.find("registry.db"), std::string::npos);
}

TEST(Registry, MakingItCanBeInterruptedAnywhereAndBegunAgain) {
  const auto folder = make_folder();
  write_all(folder + "/registry.db.new", "half a file");
  write_all(folder + "/registry.db.new-journal", "and its journal");
  EXPECT_TRUE(open_or_die(folder)->put("a", "1", {}, kNoVersion));
}

// Changes behind the registry's back, each of which leaves a file that SQLite thinks well of.
TEST(Registry, RowsThatVanishComeBackOrMoveAreNoticed) {
  const auto folder = make_folder();
  const auto path = file_in(folder);
  for (const char* sql : {
           "/* test */ DELETE FROM documents WHERE id = x'31'",
           "/* test */ UPDATE documents SET id = x'39' WHERE id = x'31'",
           "/* test */ UPDATE documents SET version = version + 1 WHERE id = x'31'",
           "/* test */ UPDATE documents SET body = (SELECT body FROM documents WHERE id = x'32'), "
           "digest = (SELECT digest FROM documents WHERE id = x'32') WHERE id = x'31'",
           "/* test */ UPDATE roster SET count = count - 1",
           "/* test */ DELETE FROM roster",
           "/* test */ INSERT INTO roster SELECT * FROM roster",
           "/* test */ DROP TABLE documents",
       }) {
    std::filesystem::remove(path);
    {
      auto registry = open_or_die(folder);
      ASSERT_TRUE(registry->put("a", "1", {{"x", "1"}}, kNoVersion));
      ASSERT_TRUE(registry->put("a", "2", {{"x", "2"}}, kNoVersion));
    }
    auto database = Database::open(path);
    ASSERT_TRUE(database);
    ASSERT_TRUE((*database)->run(sql)) << sql;
    database->reset();
    const auto opened = open_registry(folder);
    ASSERT_FALSE(opened) << sql;
    EXPECT_EQ(opened.error().code, Code::corrupt) << sql;
    EXPECT_NE(opened.error().message.find("registry.db"), std::string::npos) << sql;
  }
}

// Sixty documents of some 200 bytes, with pages that are full and one that has free space.
std::vector<Document> fill(Registry& registry) {
  for (int i = 0; i < 60; ++i) {
    const auto id = std::to_string(i);
    const Fields fields{{"host", "site" + id + ".example"},
                        {"text", std::string(150, static_cast<char>('a' + i % 26))}};
    EXPECT_TRUE(registry.put("site", id, fields, kNoVersion));
    if (i % 7 == 0) {
      EXPECT_TRUE(registry.remove("site", id, 1));
    }
  }
  return registry.list("site").value();
}

// The same file read without the checksums, as a registry of plain SQLite would.
std::optional<std::vector<Document>> read_unchecked(const std::string& path) {
  auto database = Database::open(path);
  if (!database) return std::nullopt;
  auto rows = (*database)->prepare("/* test */ SELECT id, version, body FROM documents");
  std::vector<Document> found;
  for (;;) {
    const auto row = rows.step();
    if (!row) return std::nullopt;
    if (!*row) return found;
    const auto id = rows.bytes(0), body = rows.bytes(2);
    const auto version = rows.number(1);
    const auto fields = body ? decode_fields(*body) : std::nullopt;
    if (!id || !version || !fields) return std::nullopt;
    found.push_back({std::string(as_text(*id)), *version, *fields});
  }
}

TEST(Registry, RotIsNeverSilentInAThousandMutations) {
  constexpr int kMutations = 1000;
  const auto folder = make_folder();
  const auto path = file_in(folder);
  const auto documents = fill(*open_or_die(folder));
  const auto bytes = read_all(path);
  SeededEntropy chance(11);
  int refused = 0;
  int wrong_without_checks = 0;
  for (int i = 0; i < kMutations; ++i) {
    auto rotten = bytes;
    const auto at = chance.below(rotten.size());
    rotten[at] = static_cast<char>(rotten[at] ^ static_cast<char>(1 + chance.below(255)));
    write_all(path, rotten);
    const auto opened = open_registry(folder);
    if (opened) {
      EXPECT_EQ((*opened)->list("site").value(), documents) << "byte " << at;
    } else {
      ++refused;
      EXPECT_NE(opened.error().message.find("registry.db"), std::string::npos);
    }
    write_all(path, rotten);
    const auto unchecked = read_unchecked(path);
    wrong_without_checks += unchecked && *unchecked != documents ? 1 : 0;
  }
  RecordProperty("refused", refused);
  RecordProperty("wrong_without_checks", wrong_without_checks);
  EXPECT_GT(refused, kMutations / 4);  // The rest hit space that holds nothing.
  EXPECT_GT(wrong_without_checks, kMutations / 10) << "the control: the checks are what refuses";
}

TEST(Registry, TruncatedAnywhereItIsRefused) {
  const auto folder = make_folder();
  const auto path = file_in(folder);
  fill(*open_or_die(folder));
  const auto bytes = read_all(path);
  for (std::size_t size = 0; size < bytes.size(); size += 509) {
    write_all(path, bytes.substr(0, size));
    EXPECT_FALSE(open_registry(folder)) << size;
  }
}

TEST(Document, OnlyWhatIsWrittenIsRead) {
  const Fields fields{{"a", "1"}, {"b", ""}};
  const auto bytes = encode_fields(fields);
  EXPECT_EQ(decode_fields(bytes), fields);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_fields(Bytes(bytes).first(size))) << size;
  }
  auto longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decode_fields(longer));
  const auto text = [](std::string_view raw) { return decode_fields(as_bytes(raw)); };
  EXPECT_FALSE(
      text(std::string_view("\x02\x01"
                            "b\x00\x01"
                            "a\x00",
                            7)));  // Names out of order.
  EXPECT_FALSE(
      text(std::string_view("\x02\x01"
                            "a\x00\x01"
                            "a\x00",
                            7)));  // A name twice.
  EXPECT_FALSE(
      text(std::string_view("\x81\x00\x01"
                            "a\x00",
                            5)));  // A varint longer than need be.
}

// The example of docs/formats/registry.md.
TEST(Document, BytesAreThoseOfTheFormat) {
  const auto body = encode_fields({{"host", "a"}});
  EXPECT_EQ(to_hex(body), "0104686f73740161");
  const auto head = from_hex(
      "08646f63756d656e74"
      "0473697465"
      "0131"
      "0100000000000000");
  ASSERT_TRUE(head);
  auto whole = *head;
  whole.insert(whole.end(), body.begin(), body.end());
  const auto digest = document_digest("site", "1", 1, body);
  EXPECT_TRUE(std::ranges::equal(digest, Bytes(blake2b(whole)).first(digest.size())));
  const auto roster = from_hex(
      "06726f73746572"
      "0200000000000000"
      "00000000000000000000000000000000");
  EXPECT_TRUE(std::ranges::equal(roster_digest({2, {}}), Bytes(blake2b(*roster)).first(16)));
}

}  // namespace
}  // namespace nando
