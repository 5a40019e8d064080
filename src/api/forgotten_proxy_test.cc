#include "api/forgotten_proxy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <thread>

namespace nando {
namespace {

IpAddress address(std::string_view text) {
  return IpAddress::parse(text).value();
}

TEST(ForgottenProxy, IsNamedWithTheSettingThatIsMissing) {
  ForgottenProxy proxy({});
  EXPECT_FALSE(proxy.warning());
  proxy.saw(address("127.0.0.1"));
  EXPECT_EQ(proxy.warning(),
            "hits come through a proxy at 127.0.0.1 that is not trusted, so everybody behind it is "
            "one client; if it is yours, set trusted_proxies = [\"127.0.0.1/32\"] and restart");
  EXPECT_EQ(proxy.hits(), 1U);
}

TEST(ForgottenProxy, KeepsTheNetworksThatAreTrustedAlready) {
  const std::array trusted{*IpNetwork::parse("10.0.0.0/8"), *IpNetwork::parse("fd00::1")};
  ForgottenProxy proxy(trusted);
  proxy.saw(address("fd00::2"));
  EXPECT_NE(proxy.warning().value().find(
                R"(trusted_proxies = ["10.0.0.0/8", "fd00::1/128", "fd00::2/128"])"),
            std::string::npos)
      << *proxy.warning();
}

TEST(ForgottenProxy, OneOfAPrivateNetworkCountsToo) {
  for (const auto* peer : {"10.0.0.1", "172.17.0.2", "192.168.1.1", "fd00::1", "::1"}) {
    ForgottenProxy proxy({});
    proxy.saw(address(peer));
    EXPECT_TRUE(proxy.warning()) << peer;
  }
}

TEST(ForgottenProxy, NobodyElseIsTakenForOne) {
  const std::array trusted{*IpNetwork::parse("127.0.0.1"), *IpNetwork::parse("10.0.0.0/8")};
  ForgottenProxy proxy(trusted);
  for (const auto* peer : {"127.0.0.1", "10.1.2.3", "192.0.2.1", "2001:db8::1", "100.64.0.1"}) {
    proxy.saw(address(peer));
    EXPECT_FALSE(proxy.warning()) << peer;
  }
  proxy.saw(IpAddress{});
  EXPECT_FALSE(proxy.warning());
  EXPECT_EQ(proxy.hits(), 0U);
  proxy.saw(address("127.0.0.2"));
  EXPECT_TRUE(proxy.warning()) << "control";
}

TEST(ForgottenProxy, IsLoggedOnceAndByAddressOnlyOnLoopback) {
  testing::internal::CaptureStderr();
  ForgottenProxy loopback({});
  for (int i = 0; i < 3; ++i) loopback.saw(address("127.0.0.1"));
  ForgottenProxy home({});
  home.saw(address("192.168.77.1"));
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 2) << log;
  EXPECT_NE(log.find(R"(trusted_proxies = ["127.0.0.1/32"])"), std::string::npos) << log;
  EXPECT_EQ(log.find("192.168"), std::string::npos) << log;
  EXPECT_NE(home.warning().value().find("192.168.77.1/32"), std::string::npos);
}

TEST(ForgottenProxy, StaysTheFirstWhoeverComesFromWhichThread) {
  constexpr int kThreads = 4;
  constexpr int kHits = 1000;
  ForgottenProxy proxy({});
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&proxy, i] {
        for (int n = 0; n < kHits; ++n) {
          proxy.saw(address("10.0.0." + std::to_string(i)));
          static_cast<void>(proxy.warning());
        }
      });
    }
  }
  const auto first = proxy.warning();
  ASSERT_TRUE(first);
  proxy.saw(address("127.0.0.1"));
  EXPECT_EQ(proxy.warning(), first);
  EXPECT_EQ(proxy.hits(), static_cast<std::uint64_t>(kThreads) * kHits + 1);
}

}  // namespace
}  // namespace nando
