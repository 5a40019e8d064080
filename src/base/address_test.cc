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

TEST(IpAddress, KnowsWhatAnybodyIsReachedAt) {
  // The first and last of each special network, and their neighbours outside.
  for (const auto* special : {"0.0.0.0",
                              "0.255.255.255",
                              "10.0.0.0",
                              "10.255.255.255",
                              "100.64.0.0",
                              "100.127.255.255",
                              "127.0.0.1",
                              "127.255.255.255",
                              "169.254.0.0",
                              "169.254.169.254",
                              "169.254.255.255",
                              "172.16.0.0",
                              "172.31.255.255",
                              "192.0.0.0",
                              "192.0.0.255",
                              "192.0.2.1",
                              "192.88.99.1",
                              "192.168.0.0",
                              "192.168.255.255",
                              "198.18.0.0",
                              "198.19.255.255",
                              "198.51.100.1",
                              "203.0.113.1",
                              "224.0.0.1",
                              "239.255.255.255",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "::127.0.0.1",
                              "64:ff9b::127.0.0.1",
                              "64:ff9b::10.0.0.1",
                              "64:ff9b:1::1",
                              "100::1",
                              "2001::1",
                              "2001:1ff:ffff::1",
                              "2001:db8::1",
                              "2002:7f00:1::",
                              "2002:808:808::1",
                              "3fff::1",
                              "3fff:fff:ffff::1",
                              "4000::",
                              "fc00::1",
                              "fdff::1",
                              "fe80::1",
                              "febf::1",
                              "fec0::1",
                              "ff02::1",
                              "ffff::1"}) {
    EXPECT_FALSE(address(special).is_public()) << special;
  }
  for (const auto* anybody :
       {"1.0.0.0",     "9.255.255.255",   "11.0.0.0",       "100.63.255.255",
        "100.128.0.0", "126.255.255.255", "128.0.0.0",      "169.253.255.255",
        "169.255.0.0", "172.15.255.255",  "172.32.0.0",     "192.0.1.0",
        "192.0.3.0",   "192.167.255.255", "192.169.0.0",    "198.17.255.255",
        "198.20.0.0",  "223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
        "2000::",      "2001:200::1",     "2001:db7::1",    "2001:db9::1",
        "2003::1",     "2606:4700::1111", "3ffe::1",        "3fff:1000::1"}) {
    EXPECT_TRUE(address(anybody).is_public()) << anybody;
  }
  EXPECT_FALSE(IpAddress{}.is_public());
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
