#include "webhooks/sender.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/hash.h"
#include "webhooks/prize_won.h"
#include "webhooks/signature.h"
#include "webhooks/test_program.h"
#include "webhooks/test_source.h"
#include "webhooks/test_target.h"

namespace nando {
namespace {

using namespace std::chrono_literals;

constexpr auto* kSecret = "a secret of the tests";

// A sender with a clock of its own; what it sends is answered within a test's patience.
class SenderTest : public testing::Test {
 protected:
  SenderParts parts(const std::vector<std::string>& urls) {
    return {.source = source_,
            .clock = clock_,
            .targets = targets_of(urls),
            .secret = kSecret,
            .posts = {.reach = Reach::anywhere, .patience = 5s},
            .pace = {.first = 10ms, .most = 40ms}};
  }
  // Steps until `done`, without its clock moving.
  template <class Done>
  static void step_until(Sender& sender, Done done) {
    const SystemClock clock;
    const auto end = clock.monotonic() + 10s;
    while (!done() && clock.monotonic() < end) sender.step(10ms);
    EXPECT_TRUE(done());
  }
  static auto failed(Sender& sender, std::uint64_t times) {
    return [&sender, times] { return sender.status()[0].failed_attempts == times; };
  }
  static auto delivered(Sender& sender, std::uint64_t times) {
    return [&sender, times] { return sender.status()[0].delivered == times; };
  }

  TestSource source_;
  SystemClock system_;
  ManualClock clock_;
};

std::vector<std::string> ids_of(const std::vector<Received>& received) {
  std::vector<std::string> ids;
  for (const auto& each : received) ids.push_back(each.header("Nandolytics-Event"));
  return ids;
}
using Ids = std::vector<std::string>;

TEST_F(SenderTest, TellsATargetInOrderAndMarksWhatItTook) {
  TestTarget target;
  for (int i = 0; i < 3; ++i) source_.add();
  Sender sender(parts({target.url("/hook")}));
  step_until(sender, delivered(sender, 3));
  const auto received = target.wait_for(3);
  EXPECT_EQ(ids_of(received), (Ids{"event-1", "event-2", "event-3"}));
  EXPECT_TRUE(received[0].head.starts_with("POST /hook HTTP/1.1\r\n"));
  EXPECT_EQ(received[0].header("Content-Type"), "application/json");
  EXPECT_EQ(received[0].body, R"({"id":"event-1"})");
  EXPECT_EQ(received[0].header("Nandolytics-Signature"),
            signature_of(kSecret, clock_.now(), received[0].body));
  EXPECT_EQ(source_.waiting(targets_of(std::vector{target.url("/hook")})[0].key), 0U);
  EXPECT_EQ(sender.problem(), "");
}

TEST_F(SenderTest, TheSameEventComesAgainUntilItIsTakenAndThenTheNext) {
  TestTarget target([](std::size_t number) { return Played{answer(number <= 2 ? 500 : 200)}; });
  for (int i = 0; i < 2; ++i) source_.add();
  auto with = parts({target.url()});
  const SystemClock clock;
  Sender sender({.source = with.source,
                 .clock = clock,
                 .targets = with.targets,
                 .secret = with.secret,
                 .posts = with.posts,
                 .pace = with.pace});
  {
    const SenderThread thread(sender);
    EXPECT_TRUE(source_.wait_until_taken());
  }
  EXPECT_EQ(ids_of(target.wait_for(4)), (Ids{"event-1", "event-1", "event-1", "event-2"}));
  const auto status = sender.status()[0];
  EXPECT_EQ(status.delivered, 2U);
  EXPECT_EQ(status.failed_attempts, 2U);
}

TEST_F(SenderTest, WhateverIsNotTwoHundredIsAskedAgain) {
  using Then = Played::Then;
  const Played plays[] = {{answer(300)},     {answer(304)},           {answer(400)},
                          {answer(410)},     {answer(429)},           {answer(599)},
                          {"", Then::reset}, {"no HTTP", Then::close}};
  source_.add();
  for (const auto& play : plays) {
    TestTarget target([&](std::size_t) { return play; });
    Sender sender(parts({target.url()}));
    step_until(sender, failed(sender, 1));
    EXPECT_NE(sender.problem(), "") << play.bytes;
    EXPECT_EQ(sender.status()[0].waiting, 1U);
    clock_.advance(10ms);
    step_until(sender, failed(sender, 2));
  }
  for (const unsigned good : {200, 201, 204, 299}) {
    TestTarget target([&](std::size_t) { return Played{answer(good)}; });
    Sender sender(parts({target.url()}));
    step_until(sender, delivered(sender, 1));
  }
}

TEST_F(SenderTest, ARedirectIsAFailureThatSaysSo) {
  TestTarget inner;
  TestTarget outer(
      [&](std::size_t) { return Played{answer(307, "Location: " + inner.url() + "\r\n")}; });
  source_.add();
  Sender sender(parts({outer.url()}));
  step_until(sender, failed(sender, 1));
  EXPECT_NE(sender.problem().find("answered 307, and redirects are not followed"),
            std::string::npos);
  EXPECT_EQ(inner.connections(), 0U);
}

TEST_F(SenderTest, WaitsGrowToTheirCapAndBeginAgainWithTheNextEvent) {
  const RetryPace pace;
  EXPECT_EQ(pace.wait_after(1), 1s);
  EXPECT_EQ(pace.wait_after(2), 2s);
  EXPECT_EQ(pace.wait_after(12), 2048s);
  EXPECT_EQ(pace.wait_after(13), 1h);
  EXPECT_EQ(pace.wait_after(4'000'000'000), 1h);

  TestTarget target([](std::size_t number) { return Played{answer(number == 4 ? 200 : 500)}; });
  for (int i = 0; i < 2; ++i) source_.add();
  Sender sender(parts({target.url()}));
  step_until(sender, failed(sender, 1));
  std::uint64_t failures = 1;
  for (const auto wait : {10ms, 20ms}) {
    clock_.advance(wait - 1ms);
    sender.step(0ms);
    sender.step(20ms);
    EXPECT_EQ(target.wait_for(failures).size(), failures) << "too early";
    clock_.advance(1ms);
    step_until(sender, failed(sender, ++failures));
  }
  clock_.advance(40ms);
  step_until(sender, delivered(sender, 1));
  step_until(sender, failed(sender, 4));
  clock_.advance(10ms);
  step_until(sender, failed(sender, 5));
}

TEST_F(SenderTest, ATargetThatHangsHoldsUpNoOther) {
  TestTarget hangs([](std::size_t) { return Played{}; });
  TestTarget takes;
  for (int i = 0; i < 3; ++i) source_.add();
  Sender sender(parts({hangs.url(), takes.url()}));
  step_until(sender, [&] { return sender.status()[1].delivered == 3; });
  EXPECT_EQ(hangs.wait_for(1).size(), 1U);
  EXPECT_EQ(sender.status()[0].waiting, 3U);
}

TEST_F(SenderTest, WhatWasNotMarkedIsSentAgainAfterARestartUnderTheSameId) {
  TestTarget target;
  source_.add();
  source_.refuse(0, 1);
  {
    Sender sender(parts({target.url()}));
    step_until(sender, [&] { return !sender.problem().empty(); });
  }
  Sender sender(parts({target.url()}));
  step_until(sender, delivered(sender, 1));
  EXPECT_EQ(ids_of(target.wait_for(2)), (Ids{"event-1", "event-1"}));
}

TEST_F(SenderTest, AMarkThatFailsIsMadeAgainWithoutSendingAgain) {
  TestTarget target;
  source_.add();
  source_.refuse(0, 2);
  Sender sender(parts({target.url()}));
  step_until(sender, [&] { return sender.problem().ends_with("no room for marks"); });
  EXPECT_EQ(sender.status()[0].delivered, 0U);
  clock_.advance(5s);
  sender.step(0ms);
  EXPECT_NE(sender.problem(), "");
  clock_.advance(5s);
  step_until(sender, delivered(sender, 1));
  EXPECT_EQ(sender.problem(), "");
  EXPECT_EQ(target.wait_for(1).size(), 1U);
}

TEST_F(SenderTest, ASourceThatFailsIsAskedAgain) {
  TestTarget target;
  source_.add();
  source_.refuse(1, 0);
  Sender sender(parts({target.url()}));
  sender.step(0ms);
  EXPECT_TRUE(sender.problem().ends_with("the source is ill"));
  EXPECT_EQ(sender.status()[0].failed_attempts, 0U) << "the target has no part in it";
  clock_.advance(5s);
  step_until(sender, delivered(sender, 1));
  EXPECT_EQ(sender.problem(), "");
}

TEST_F(SenderTest, ANewEventIsFoundWhenItIsSaidAndOtherwiseSoonAfter) {
  TestTarget target;
  Sender sender(parts({target.url()}));
  sender.step(0ms);
  source_.add();
  sender.step(20ms);
  EXPECT_EQ(target.connections(), 0U) << "nobody said so";
  sender.wake();
  step_until(sender, delivered(sender, 1));
  sender.step(0ms);
  source_.add();
  clock_.advance(1s);
  step_until(sender, delivered(sender, 2));
}

TEST_F(SenderTest, StopsAtOnceWhileATargetHangs) {
  TestTarget hangs([](std::size_t) { return Played{}; });
  source_.add();
  Sender sender(parts({hangs.url()}));
  std::optional<SenderThread> thread(std::in_place, sender);
  hangs.wait_for(1);
  const auto began = system_.monotonic();
  thread.reset();
  EXPECT_LT(system_.monotonic() - began, 500ms);
}

TEST_F(SenderTest, StopsAtOnceWhileNothingHappens) {
  auto with = parts({"http://127.0.0.1:1/"});
  with.look = 1min;
  Sender sender(std::move(with));
  std::optional<SenderThread> thread(std::in_place, sender);
  EXPECT_TRUE(source_.wait_until_taken());
  const auto began = system_.monotonic();
  thread.reset();
  EXPECT_LT(system_.monotonic() - began, 500ms);
}

TEST_F(SenderTest, NobodyIsToldMoreOfAUrlThanItsHost) {
  TestTarget target([](std::size_t) { return Played{answer(500)}; });
  source_.add();
  Sender sender(parts({target.url("/services/path-key?token=query-key")}));
  testing::internal::CaptureStderr();
  step_until(sender, failed(sender, 1));
  const auto log = testing::internal::GetCapturedStderr();
  MetricsPage page;
  sender.describe(page);
  const auto name = "127.0.0.1:" + target.port();
  for (const auto& said : {log, sender.problem(), page.text()}) {
    EXPECT_NE(said.find(name), std::string::npos) << said;
    EXPECT_EQ(said.find("key"), std::string::npos) << said;
    EXPECT_EQ(said.find(kSecret), std::string::npos) << said;
  }
  EXPECT_EQ(sender.problem(), "webhook " + name + " answered 500");
  for (const auto* row : {"delivered_total{target=\"", "failed_attempts_total{target=\"",
                          "waiting{target=\"", "failing{target=\""}) {
    EXPECT_NE(page.text().find(std::string("nandolytics_webhook_") + row + name), std::string::npos)
        << row;
  }
}

TEST_F(SenderTest, EachProblemIsLoggedOnceAndItsEndToo) {
  TestTarget target([](std::size_t number) { return Played{answer(number <= 3 ? 500 : 200)}; });
  source_.add();
  Sender sender(parts({target.url()}));
  testing::internal::CaptureStderr();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    step_until(sender, failed(sender, i));
    clock_.advance(1s);
  }
  step_until(sender, delivered(sender, 1));
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 2) << log;
  EXPECT_NE(log.find("takes events again"), std::string::npos) << log;
}

TEST_F(SenderTest, AnEventThatNoHeaderOrReceiverCanHoldIsABug) {
  const auto sends = [&](Event event) {
    TestSource source;
    source.add(std::move(event));
    auto with = parts({"http://127.0.0.1:1/"});
    Sender sender({.source = source, .clock = clock_, .targets = with.targets});
    sender.step(0ms);
  };
  sends({.id = std::string(kEventIdBytesMax, 'a'), .body = std::string(kEventBodyBytesMax, 'b')});
  sends({.id = "aZ0._:-", .body = ""});
  EXPECT_DEATH(sends({.id = std::string(kEventIdBytesMax + 1, 'a'), .body = ""}), "bug");
  EXPECT_DEATH(sends({.id = "a", .body = std::string(kEventBodyBytesMax + 1, 'b')}), "bug");
  EXPECT_DEATH(sends({.id = "", .body = ""}), "bug");
  EXPECT_DEATH(sends({.id = "a\r\nHost: b", .body = ""}), "bug");
}

// The first block of Python in the reference.
std::string documented_check() {
  const auto path =
      std::filesystem::path(__FILE__).parent_path() / "../../docs/reference/webhooks.md";
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  const std::string fence = "```python\n";
  const auto begin = text.str().find(fence) + fence.size();
  return text.str().substr(begin, text.str().find("```", begin) - begin);
}

TEST(Signature, IsWhatTheReferenceTellsReceiversToCheck) {
  const std::string body = R"({"event":"prize.won","id":"1-77"})";
  const SystemClock clock;
  const auto passes = [&](const std::string& header, const std::string& sent) {
    const auto ended = run_to_end(
        {"python3", "-c",
         documented_check() +
             "\nimport sys\nsys.exit(0 if is_ours(sys.argv[1], sys.argv[2].encode()) else 3)",
         header, sent});
    EXPECT_TRUE(ended == 0 || ended == 3) << ended;
    return ended == 0;
  };
  const std::string secret = "the secret of the settings";
  const auto good = signature_of(secret, clock.now(), body);
  EXPECT_TRUE(passes(good, body));
  EXPECT_FALSE(passes(good, body + " ")) << "another body";
  EXPECT_FALSE(passes(signature_of(kSecret, clock.now(), body), body)) << "another secret";
  EXPECT_FALSE(passes(signature_of(secret, clock.now() - 6min, body), body)) << "an old one";
  EXPECT_FALSE(passes(signature_of(secret, clock.now() + 6min, body), body));
}

TEST(Targets, HaveANameForPeopleAndAKeyForMarks) {
  const std::vector<std::string> urls = {"https://a.example/x?y", "https://b.example:8443",
                                         "http://a.example?z", "https://[2606::1]:1/"};
  const auto targets = targets_of(urls);
  EXPECT_EQ(targets[0].name, "a.example");
  EXPECT_EQ(targets[1].name, "b.example:8443");
  EXPECT_EQ(targets[2].name, "a.example#2");
  EXPECT_EQ(targets[3].name, "[2606::1]:1");
  EXPECT_EQ(targets[0].key.size(), 16U);
  EXPECT_NE(targets[0].key, targets[2].key);
  EXPECT_EQ(targets_of(std::vector{urls[2]})[0].key, targets[2].key) << "wherever it stands";
}

TEST(PrizeWon, SaysWhichEntryWonWhichPrizeAndNothingElse) {
  const auto event = event_of({.id = "1-77",
                               .promotion = "launch",
                               .site = "example.com",
                               .window = 3,
                               .entry = 4217,
                               .prize = 3,
                               .claimed = UnixTime(1'700'000'000'250ms)});
  EXPECT_EQ(event.id, "1-77");
  EXPECT_EQ(event.body,
            R"({"event":"prize.won","id":"1-77","promotion":"launch","site":"example.com",)"
            R"("window":3,"entry":4217,"prize":3,"claimed":"2023-11-14T22:13:20.250Z"})");
  EXPECT_DEATH(event_of({.id = "\"", .promotion = "a", .site = "b"}), "bug");
}

}  // namespace
}  // namespace nando
