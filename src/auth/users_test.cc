#include "auth/users.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <future>
#include <thread>

#include "auth/password.h"
#include "auth/sessions.h"
#include "registry/memory_registry.h"

namespace nando {
namespace {

constexpr const char* kEmail = "ada@example.com";
constexpr const char* kPassword = "correct horse battery";

class UsersTest : public testing::Test {
 protected:
  UsersTest() { reopen(); }

  void reopen() {
    sessions.reset();
    users = std::move(*Users::open(registry, clock));
    sessions = std::move(*Sessions::open(registry, *users, entropy, clock));
  }
  User owner() { return users->add_owner(kEmail, kPassword).value(); }

  MemoryRegistry registry;
  SeededEntropy entropy{1};
  ManualClock clock;
  std::unique_ptr<Users> users;
  std::unique_ptr<Sessions> sessions;
};

TEST_F(UsersTest, PasswordsOfTheRightLengthAreTaken) {
  EXPECT_FALSE(check_new_password(std::string(kPasswordBytesMin - 1, 'x')));
  EXPECT_TRUE(check_new_password(std::string(kPasswordBytesMin, 'x')));
  EXPECT_TRUE(check_new_password(std::string(kPasswordBytesMax, 'x')));
  EXPECT_FALSE(check_new_password(std::string(kPasswordBytesMax + 1, 'x')));
}

TEST_F(UsersTest, AddressesAreWhatPeopleType) {
  EXPECT_EQ(parse_email("Ada@Example.COM").value(), "ada@example.com");
  for (const auto* bad : {"", "ada", "@example.com", "ada@", "a@b@c", "a b@c.d", "a@b\n"}) {
    EXPECT_FALSE(parse_email(bad)) << bad;
  }
  EXPECT_TRUE(parse_email(std::string(kEmailBytesMax - 2, 'a') + "@b"));
  EXPECT_FALSE(parse_email(std::string(kEmailBytesMax - 1, 'a') + "@b"));
}

TEST_F(UsersTest, TheOwnerIsMadeOnceAndLetInByPasswordAlone) {
  EXPECT_FALSE(users->has_owner());
  EXPECT_EQ(users->add_owner("nobody", kPassword).error().code, Code::invalid);
  EXPECT_EQ(users->add_owner(kEmail, "short").error().code, Code::invalid);
  EXPECT_EQ(owner().email, kEmail);
  EXPECT_EQ(users->add_owner("eve@example.com", kPassword).error().code, Code::conflict);

  reopen();
  EXPECT_TRUE(users->has_owner());
  EXPECT_EQ(users->check("ADA@example.com", kPassword).value().email, kEmail);
  EXPECT_FALSE(users->check(kEmail, "correct horse batterz"));
  EXPECT_FALSE(users->check("eve@example.com", kPassword));
  EXPECT_FALSE(users->check(kEmail, ""));

  EXPECT_EQ(users->set_password("eve@example.com", kPassword).error().code, Code::not_found);
  ASSERT_TRUE(users->set_password(kEmail, "another password"));
  EXPECT_FALSE(users->check(kEmail, kPassword));
  EXPECT_TRUE(users->check(kEmail, "another password"));
  ASSERT_TRUE(users->remove(kEmail));
  EXPECT_FALSE(users->has_owner());
}

TEST_F(UsersTest, NoPasswordIsKept) {
  owner();
  const auto documents = registry.list("user").value();
  ASSERT_EQ(documents.size(), 1U);
  const auto& hash = documents[0].fields.at("password");
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=65536,t=2,p=1$")) << hash;
  EXPECT_EQ(hash.find(kPassword), std::string::npos);
}

// One that is not well formed would be refused at once, and tell which addresses are nobody's.
TEST_F(UsersTest, AWrongAddressTakesAsLongAsAWrongPassword) {
  EXPECT_EQ(
      crypto_pwhash_str_needs_rehash(nobodys_hash().c_str(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                     crypto_pwhash_MEMLIMIT_INTERACTIVE),
      0);
}

TEST_F(UsersTest, ASessionLastsAndIsKeptAsAHash) {
  const auto text = sessions->begin(owner()).value();
  EXPECT_EQ(sessions->find(text).value().email, kEmail);
  EXPECT_FALSE(sessions->find(text + "A"));
  EXPECT_FALSE(sessions->find(text.substr(1)));
  EXPECT_FALSE(sessions->find(""));
  for (const auto& document : registry.list("session").value()) {
    EXPECT_NE(document.id, text);
    for (const auto& [name, value] : document.fields)
      EXPECT_EQ(value.find(text), std::string::npos);
  }
  reopen();
  EXPECT_TRUE(sessions->find(text));
  clock.advance(kSessionLife - std::chrono::milliseconds{1});
  EXPECT_TRUE(sessions->find(text));
  clock.advance(std::chrono::milliseconds{1});
  EXPECT_FALSE(sessions->find(text));
}

TEST_F(UsersTest, ASessionEndsForGood) {
  const auto user = owner();
  const auto one = sessions->begin(user).value();
  const auto two = sessions->begin(user).value();
  const auto three = sessions->begin(user).value();
  ASSERT_TRUE(sessions->end(one));
  ASSERT_TRUE(sessions->end(one));
  EXPECT_FALSE(sessions->find(one));
  EXPECT_TRUE(sessions->find(two));
  ASSERT_TRUE(sessions->end_all(user.email));
  reopen();
  for (const auto& text : {one, two, three}) EXPECT_FALSE(sessions->find(text));
  EXPECT_TRUE(registry.list("session").value().empty());
}

TEST_F(UsersTest, ASessionIsOfOnePasswordAndOneUser) {
  auto user = owner();
  const auto before = sessions->begin(user).value();
  ASSERT_TRUE(users->set_password(kEmail, "another password"));
  EXPECT_FALSE(sessions->find(before));
  // Who was checked before the change and let in after it is not in.
  EXPECT_FALSE(sessions->find(sessions->begin(user).value()));
  const auto now = sessions->begin(users->check(kEmail, "another password").value()).value();
  EXPECT_TRUE(sessions->find(now));

  ASSERT_TRUE(users->remove(kEmail));
  EXPECT_FALSE(sessions->find(now));
  clock.advance(std::chrono::milliseconds{1});
  owner();
  EXPECT_FALSE(sessions->find(now));
  reopen();
  EXPECT_FALSE(sessions->find(now));
}

TEST_F(UsersTest, ARestoredStoreHasNoSessions) {
  const auto text = sessions->begin(owner()).value();
  ASSERT_TRUE(forget_sessions(registry));
  reopen();
  EXPECT_FALSE(sessions->find(text));
}

// A registry whose put() waits, as on a disk that stands still.
class WaitingRegistry final : public Registry {
 public:
  Result<Document> get(std::string_view kind, std::string_view id) override {
    return inner.get(kind, id);
  }
  Result<std::vector<Document>> list(std::string_view kind) override { return inner.list(kind); }
  Result<Version> put(std::string_view kind, std::string_view id, const Fields& fields,
                      Version expected) override {
    if (waits) {
      reached.set_value();
      go.get_future().wait();
    }
    return inner.put(kind, id, fields, expected);
  }
  Result<> remove(std::string_view kind, std::string_view id, Version expected) override {
    return inner.remove(kind, id, expected);
  }
  Result<> copy_to(const std::string& path) override { return inner.copy_to(path); }

  MemoryRegistry inner;
  std::atomic<bool> waits = false;
  std::promise<void> reached, go;
};

TEST_F(UsersTest, WhoeverAsksWaitsForNoDisk) {
  WaitingRegistry slow;
  const auto people = People::open(slow, entropy, clock).value();
  const auto user = people.users->add_owner(kEmail, kPassword).value();
  const auto text = people.sessions->begin(user).value();
  slow.waits = true;
  std::jthread changing([&] { EXPECT_TRUE(people.sessions->begin(user)); });
  slow.reached.get_future().wait();
  EXPECT_TRUE(people.sessions->find(text));
  EXPECT_TRUE(people.users->has_owner());
  slow.waits = false;
  slow.go.set_value();
}

TEST_F(UsersTest, TheSetUpTokenLetsInUntilThereIsAnOwner) {
  const auto token = sessions->set_up_token();
  EXPECT_EQ(sessions->begin_set_up("").error().code, Code::denied);
  EXPECT_EQ(sessions->begin_set_up(token.substr(1) + "A").error().code, Code::denied);
  const auto text = sessions->begin_set_up(token).value();
  EXPECT_EQ(sessions->find(text).value().email, "");
  EXPECT_TRUE(registry.list("session").value().empty());

  owner();
  EXPECT_FALSE(sessions->find(text));
  EXPECT_EQ(sessions->set_up_token(), "");
  EXPECT_EQ(sessions->begin_set_up(token).error().code, Code::denied);

  // Nor when the owner is gone again: it stands in logs.
  ASSERT_TRUE(users->remove(kEmail));
  EXPECT_FALSE(sessions->find(text));
  EXPECT_EQ(sessions->begin_set_up(token).error().code, Code::denied);
  reopen();
  EXPECT_NE(sessions->set_up_token(), "");
}

// Though nobody asked while there was an owner.
TEST_F(UsersTest, TheFirstSessionOfAnOwnerEndsTheSetUpTokenForGood) {
  const auto token = sessions->set_up_token();
  const auto user = owner();
  ASSERT_TRUE(sessions->begin(user));
  ASSERT_TRUE(users->remove(kEmail));
  EXPECT_EQ(sessions->begin_set_up(token).error().code, Code::denied);
}

TEST_F(UsersTest, AStartHasASetUpTokenOfItsOwn) {
  const auto token = sessions->set_up_token();
  const auto text = sessions->begin_set_up(token).value();
  reopen();
  EXPECT_NE(sessions->set_up_token(), token);
  EXPECT_FALSE(sessions->find(text));
  EXPECT_FALSE(sessions->begin_set_up(token));
}

TEST_F(UsersTest, OneSessionTooManyEndsTheOldest) {
  const auto user = owner();
  std::vector<std::string> texts;
  for (std::size_t i = 0; i <= kSessionsMax; ++i) {
    texts.push_back(sessions->begin(user).value());
    clock.advance(std::chrono::milliseconds{1});
  }
  EXPECT_FALSE(sessions->find(texts[0]));
  EXPECT_TRUE(sessions->find(texts[1]));
  EXPECT_TRUE(sessions->find(texts.back()));
  EXPECT_EQ(registry.list("session").value().size(), kSessionsMax);
}

}  // namespace
}  // namespace nando
