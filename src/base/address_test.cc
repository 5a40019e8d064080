#include "base/address.h"

#include <gtest/gtest.h>

namespace nando {
namespace {

IpAddress address(std::string_view text) {
  const auto parsed = IpAddress::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(IpAddress{});
}

IpNetwork network(std::string_view text) {
  const auto parsed = IpNetwork::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(IpNetwork{});
}

TEST(IpAddress, ReadsBothFamilies) {
  EXPECT_EQ(address("192.0.2.1").family, IpAddress::Family::v4);
  EXPECT_EQ(address("192.0.2.1").bytes[3], 1);
  EXPECT_EQ(address("2001:db8::1").family, IpAddress::Family::v6);
  EXPECT_EQ(address("2001:db8::1"), address("2001:0DB8:0:0:0:0:0:1"));
}

TEST(IpAddress, AMappedV4AddressIsTheV4Address) {
  EXPECT_EQ(address("::ffff:192.0.2.1"), address("192.0.2.1"));
  EXPECT_NE(address("::192.0.2.1"), address("192.0.2.1"));
}

TEST(IpAddress, RefusesWhatIsNone) {
  using std::string_view_literals::operator""sv;
  for (const auto none : {""sv, "192.0.2"sv, "192.0.2.256"sv, "192.0.2.1:80"sv, "[::1]"sv,
                          "fe80::1%eth0"sv, " ::1"sv, "192.0.2.1\0x"sv, "unknown"sv}) {
    EXPECT_FALSE(IpAddress::parse(none)) << none;
  }
}

TEST(IpAddress, AClientIsAWholeV4AddressOrHalfAV6One) {
  EXPECT_EQ(address("192.0.2.1").client_prefix(), address("192.0.2.1"));
  EXPECT_EQ(address("2001:db8:1:2:3:4:5:6").client_prefix(), address("2001:db8:1:2::"));
  EXPECT_EQ(IpAddress{}.client_prefix(), IpAddress{});
}

TEST(IpAddress, APrefixKeepsItsBitsAndNoOther) {
  EXPECT_EQ(address("255.255.255.255").prefix(0), address("0.0.0.0"));
  EXPECT_EQ(address("255.255.255.255").prefix(9), address("255.128.0.0"));
  EXPECT_EQ(address("255.255.255.255").prefix(32), address("255.255.255.255"));
  EXPECT_EQ(address("ffff:ffff::ffff").prefix(17), address("ffff:8000::"));
  EXPECT_EQ(address("ffff::ffff").prefix(128), address("ffff::ffff"));
  EXPECT_DEATH(address("192.0.2.1").prefix(33), "bug");
}

TEST(IpAddress, KnowsItsLoopback) {
  EXPECT_TRUE(address("127.0.0.1").is_loopback());
  EXPECT_TRUE(address("127.255.0.9").is_loopback());
  EXPECT_TRUE(address("::1").is_loopback());
  EXPECT_TRUE(address("::ffff:127.0.0.1").is_loopback());
  EXPECT_FALSE(address("128.0.0.1").is_loopback());
  EXPECT_FALSE(address("::2").is_loopback());
  EXPECT_FALSE(address("1::1").is_loopback());
  EXPECT_FALSE(IpAddress{}.is_loopback());
}

TEST(IpAddress, KnowsItsOwnNetworks) {
  for (const auto* mine : {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255",
                           "192.168.0.0", "192.168.255.255", "::ffff:10.0.0.1",
                           "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    EXPECT_TRUE(address(mine).is_private()) << mine;
  }
  for (const auto* other : {"9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0",
                            "192.167.255.255", "192.169.0.0", "193.168.0.0", "100.64.0.1",
                            "127.0.0.1", "::1", "fbff::", "fe00::", "fe80::1", "a00::"}) {
    EXPECT_FALSE(address(other).is_private()) << other;
  }
  EXPECT_FALSE(IpAddress{}.is_private());
}

TEST(IpNetwork, HoldsWhatSharesItsBits) {
  EXPECT_TRUE(network("10.0.0.0/8").contains(address("10.255.255.255")));
  EXPECT_FALSE(network("10.0.0.0/8").contains(address("11.0.0.0")));
  EXPECT_TRUE(network("10.1.2.3/8").contains(address("10.0.0.0")));
  EXPECT_TRUE(network("192.0.2.1").contains(address("192.0.2.1")));
  EXPECT_FALSE(network("192.0.2.1").contains(address("192.0.2.2")));
  EXPECT_TRUE(network("2001:db8::/32").contains(address("2001:db8:ffff::1")));
  EXPECT_TRUE(network("0.0.0.0/0").contains(address("192.0.2.1")));
  EXPECT_FALSE(network("0.0.0.0/0").contains(address("::1"))) << "another family";
}

TEST(IpNetwork, RefusesWhatIsNone) {
  EXPECT_TRUE(IpNetwork::parse("10.0.0.0/32"));
  EXPECT_TRUE(IpNetwork::parse("::/128"));
  for (const auto* none :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/8x", "10.0.0.0/-1", "10/8"}) {
    EXPECT_FALSE(IpNetwork::parse(none)) << none;
  }
}

}  // namespace
}  // namespace nando
