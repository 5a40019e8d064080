#include "auth/tokens.h"

#include <gtest/gtest.h>

#include <thread>

#include "registry/memory_registry.h"

namespace nando {
namespace {

class TokensTest : public testing::Test {
 protected:
  TokensTest() { reopen(); }

  void reopen() {
    auto opened = Tokens::open(registry, entropy, clock);
    ASSERT_TRUE(opened) << opened.error().message;
    tokens = std::move(*opened);
    reader.emplace(*tokens);
  }
  IssuedToken add(Scope scope, SiteId site = SiteId{}) {
    return tokens->add({"backend", scope, site}).value();
  }

  MemoryRegistry registry;
  SeededEntropy entropy{1};
  ManualClock clock;
  std::unique_ptr<Tokens> tokens;
  std::optional<Tokens::Reader> reader;
};

TEST_F(TokensTest, TextLetsInAndNoOtherDoes) {
  const auto issued = add(Scope::hits);
  EXPECT_TRUE(issued.text.starts_with("nando_hits_"));
  EXPECT_EQ(issued.text.size(), std::string("nando_hits_").size() + 43);  // 256 bits.
  const auto token = reader->check(issued.text);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->id, issued.info.token.id);
  for (std::size_t i = 0; i < issued.text.size(); ++i) {
    auto other = issued.text;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(reader->check(other)) << i;
  }
  EXPECT_FALSE(reader->check(""));
  EXPECT_FALSE(reader->check(issued.text + "A"));
  EXPECT_FALSE(reader->check(issued.text.substr(0, issued.text.size() - 1)));
  EXPECT_FALSE(reader->check(std::string(1 << 20, 'x')));
}

TEST_F(TokensTest, TextIsNowhereInTheRegistry) {
  const auto issued = add(Scope::admin);
  const auto secret = issued.text.substr(issued.text.rfind('_') + 1);
  const auto raw = from_base64url(secret);
  for (const auto& document : *registry.list("token")) {
    for (const auto& [name, value] : document.fields) {
      EXPECT_EQ(value.find(secret), std::string::npos) << name;
      if (raw) {
        EXPECT_EQ(value.find(to_hex(*raw)), std::string::npos) << name;
      }
    }
  }
}

TEST_F(TokensTest, ScopeAndSiteAreWhatItMayDo) {
  const SiteId a{1}, b{2};
  struct Row {
    Token token;
    Scope what;
    SiteId on;
    bool allowed;
  };
  const Row rows[] = {
      {{TokenId{1}, Scope::hits, {}}, Scope::hits, a, true},
      {{TokenId{1}, Scope::hits, {}}, Scope::stats, a, false},
      {{TokenId{1}, Scope::hits, {}}, Scope::admin, a, false},
      {{TokenId{1}, Scope::stats, {}}, Scope::stats, a, true},
      {{TokenId{1}, Scope::stats, {}}, Scope::hits, a, false},
      {{TokenId{1}, Scope::stats, {}}, Scope::admin, a, false},
      {{TokenId{1}, Scope::admin, {}}, Scope::hits, a, true},
      {{TokenId{1}, Scope::admin, {}}, Scope::stats, a, true},
      {{TokenId{1}, Scope::admin, {}}, Scope::admin, a, true},
      {{TokenId{1}, Scope::hits, a}, Scope::hits, a, true},
      {{TokenId{1}, Scope::hits, a}, Scope::hits, b, false},
      {{TokenId{1}, Scope::admin, a}, Scope::hits, b, false},
      {{TokenId{1}, Scope::admin, a}, Scope::stats, a, true},
      {{TokenId{1}, Scope::hits, a}, Scope::hits, SiteId{}, false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(row.token.allows(row.what, row.on), row.allowed)
        << name_of(row.token.scope) << " on " << row.token.site.value << " for "
        << name_of(row.what) << " on " << row.on.value;
    EXPECT_EQ(row.token.allows_everywhere(row.what), row.allowed && !row.token.site);
  }
}

TEST_F(TokensTest, KnownAfterARestartWithNameScopeSiteAndTime) {
  const auto issued = add(Scope::stats, SiteId{7});
  reopen();
  const auto token = reader->check(issued.text);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->scope, Scope::stats);
  EXPECT_EQ(token->site, SiteId{7});
  ASSERT_EQ(tokens->list().size(), 1U);
  EXPECT_EQ(tokens->list()[0].name, "backend");
  EXPECT_EQ(tokens->list()[0].made, clock.now());
}

TEST_F(TokensTest, RevokedIsRefusedByTheNextCheck) {
  const auto issued = add(Scope::hits);
  const auto other = add(Scope::hits);
  ASSERT_TRUE(reader->check(issued.text));
  ASSERT_TRUE(tokens->revoke(issued.info.token.id));
  EXPECT_FALSE(reader->check(issued.text));
  EXPECT_TRUE(reader->check(other.text));
  EXPECT_EQ(tokens->revoke(issued.info.token.id).error().code, Code::not_found);
  reopen();
  EXPECT_FALSE(reader->check(issued.text));
  EXPECT_TRUE(reader->check(other.text));
}

TEST_F(TokensTest, IdIsNeverGivenTwice) {
  const auto first = add(Scope::hits).info.token.id;
  ASSERT_TRUE(tokens->revoke(first));
  reopen();
  EXPECT_NE(add(Scope::hits).info.token.id, first);
}

TEST_F(TokensTest, NameHasItsLimits) {
  const auto add_named = [&](const std::string& name) {
    return tokens->add({name, Scope::hits, SiteId{}});
  };
  EXPECT_TRUE(add_named("x"));
  EXPECT_TRUE(add_named(std::string(kTokenNameBytesMax, 'x')));
  EXPECT_EQ(add_named(std::string(kTokenNameBytesMax + 1, 'x')).error().code, Code::invalid);
  EXPECT_EQ(add_named("").error().code, Code::invalid);
  EXPECT_EQ(add_named("a\nb").error().code, Code::invalid);
  EXPECT_EQ(add_named("a\x1b[2J").error().code, Code::invalid);
}

TEST_F(TokensTest, WhatTheRegistryRefusesLetsNobodyInOrOut) {
  const auto issued = add(Scope::hits);
  registry.fail_changes(Error{Code::full, "no space"});
  EXPECT_EQ(tokens->add({"b", Scope::hits, SiteId{}}).error().code, Code::full);
  EXPECT_EQ(tokens->revoke(issued.info.token.id).error().code, Code::full);
  EXPECT_TRUE(reader->check(issued.text));
  EXPECT_EQ(tokens->list().size(), 1U);
}

TEST_F(TokensTest, UnusableDocumentIsRefusedByNameAtTheStart) {
  add(Scope::hits);
  auto document = registry.list("token")->front();
  document.fields["hash"].pop_back();
  ASSERT_TRUE(registry.put("token", document.id, document.fields, document.version));
  const auto opened = Tokens::open(registry, entropy, clock);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("token " + document.id), std::string::npos);
}

TEST_F(TokensTest, ReadersOnOtherThreadsSeeARevokedTokenGo) {
  const auto issued = add(Scope::hits);
  std::atomic<int> begun{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      Tokens::Reader own(*tokens);
      ASSERT_TRUE(own.check(issued.text));
      ++begun;
      while (own.check(issued.text)) std::this_thread::yield();
    });
  }
  while (begun < 3) std::this_thread::yield();
  ASSERT_TRUE(tokens->revoke(issued.info.token.id));
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace nando
