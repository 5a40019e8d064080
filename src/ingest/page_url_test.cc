#include "ingest/page_url.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "ingest/ingest_fixture.h"
#include "ingest/tables/query_names.h"

namespace nando {
namespace {

struct Row {
  std::string_view sent;
  std::string_view page;  // As spelled, or the reason why it is none.
  std::string_view why;
};

// Printed in docs/reference/pages.md. To add a rule, add its rows.
constexpr std::array kDefaultRows = {
    Row{"https://example.com/a?x=1", "example.com/a?x=1", "the plain case"},
    Row{"http://example.com/a?x=1", "example.com/a?x=1", "http and https are one page"},
    Row{"HTTPS://example.com/a", "example.com/a", "the scheme has no case"},
    Row{"https:/example.com/a", "example.com/a", "a proxy merged the slashes"},
    Row{"https:///example.com/a", "example.com/a", "a slash too many"},
    Row{"  https://example.com/a  ", "example.com/a", "spaces at the ends"},
    Row{"https://Example.COM/a", "example.com/a", "the host has no case"},
    Row{"https://example.com./a", "example.com/a", "final dot of the host"},
    Row{"https://www.example.com/a", "example.com/a", "`www.` of a site is the site"},
    Row{"https://WWW.Example.com./a", "example.com/a", "all of these at once"},
    Row{"https://shop.example.net/a", "shop.example.net/a", "an alias has pages of its own"},
    Row{"https://www.shop.example.net/a", "shop.example.net/a", "`www.` of an alias"},
    Row{"https://b\xc3\xbc"
        "cher.example/",
        "xn--bcher-kva.example/", "names beyond ASCII are punycode"},
    Row{"https://B\xc3\x9c"
        "CHER.example/",
        "xn--bcher-kva.example/", "in any case"},
    Row{"https://b%C3%BCcher.example/", "xn--bcher-kva.example/", "and escaped"},
    Row{"https://ex%61mple.com/a", "example.com/a", "a host with escapes"},
    Row{"https://a_b.example/", "a_b.example/", "an underscore in a host"},
    Row{"http://localhost:3000/a", "localhost:3000/a", "a port is part of the page"},
    Row{"http://example.com:80/a", "example.com/a", "except the usual ones"},
    Row{"https://example.com:443/a", "example.com/a", "except the usual ones"},
    Row{"https://example.com:80/a", "example.com/a", "either, as the scheme does not matter"},
    Row{"https://example.com:0443/a", "example.com/a", "zeros before a port"},
    Row{"https://example.com:/a", "example.com/a", "an empty port"},
    Row{"http://[0:0:0:0:0:0:0:1]/a", "[::1]/a", "an IPv6 address has one form"},
    Row{"http://[::1]:8000/a", "[::1]:8000/a", "and may have a port"},
    Row{"http://127.1/a", "127.0.0.1/a", "an IPv4 address has one form"},
    Row{"http://127.0.0.1./a", "127.0.0.1/a", "with a final dot too"},
    Row{"https://joe:pw@example.com/a", "example.com/a", "user and password"},
    Row{"https://example.com/a#part", "example.com/a", "fragment"},
    Row{"https://example.com/a?x=1#access_token=q", "example.com/a?x=1", "fragment"},
    Row{"https://example.com", "example.com/", "empty path"},
    Row{"https://example.com?x=1", "example.com/?x=1", "empty path before a query"},
    Row{"https://example.com/A", "example.com/A", "a path has case"},
    Row{"https://example.com/a/", "example.com/a/", "a slash at the end counts"},
    Row{"https://example.com/a//b", "example.com/a//b", "and so do empty segments"},
    Row{"https://example.com/a/./b/../c", "example.com/a/c", "dot segments"},
    Row{"https://example.com/../../a", "example.com/a", "dot segments above the root"},
    Row{"https://example.com/a/%2e%2E/b", "example.com/b", "escaped dots are dots"},
    Row{"https://example.com\\a\\b", "example.com/a/b", "a backslash, as browsers read it"},
    Row{"https://example.com\\@other.example/", "example.com/@other.example/",
        "so the host is the browser's"},
    Row{"https://example.com/%7Ejoe/%61", "example.com/~joe/a", "needless escapes"},
    Row{"https://example.com/%c3%bc", "example.com/%C3%BC", "escapes are upper case"},
    Row{"https://example.com/\xc3\xbc", "example.com/%C3%BC", "non-ASCII is escaped"},
    Row{"https://example.com/a b", "example.com/a%20b", "so are spaces"},
    Row{"https://example.com/{a}|[b]^`\"<>", "example.com/%7Ba%7D%7C%5Bb%5D%5E%60%22%3C%3E",
        "and what URLs may not hold"},
    Row{"https://example.com/a%2Fb", "example.com/a%2Fb", "an escaped slash is no slash"},
    Row{"https://example.com/100%", "example.com/100%25", "a percent sign that escapes nothing"},
    Row{"https://example.com/%zz", "example.com/%25zz", "likewise"},
    Row{"https://example.com/%%32%65", "example.com/%252e", "escapes are read once"},
    Row{"https://example.com/a;v=1", "example.com/a;v=1", "a path parameter"},
    Row{"https://example.com/a;jsessionid=1F?x", "example.com/a?x", "a secret one"},
    Row{"https://example.com/a/..;sid=1/b", "example.com/a//b", "no dot segment comes of it"},
    Row{"https://example.com/a?", "example.com/a", "empty query"},
    Row{"https://example.com/a?&&", "example.com/a", "a query of nothing"},
    Row{"https://example.com/a?b=2&a=1", "example.com/a?a=1&b=2", "parameters by name"},
    Row{"https://example.com/a?x=2&a=3&x=1", "example.com/a?a=3&x=2&x=1",
        "those of one name as sent"},
    Row{"https://example.com/a?x=", "example.com/a?x", "no value and an empty one are the same"},
    Row{"https://example.com/a?=1", "example.com/a?=1", "a value without a name"},
    Row{"https://example.com/a?q=b+c", "example.com/a?q=b%20c", "a form's plus is a space"},
    Row{"https://example.com/a?q=b%20c", "example.com/a?q=b%20c", "a form's plus is a space"},
    Row{"https://example.com/a?q=b%2Bc", "example.com/a?q=b%2Bc", "an escaped plus is a plus"},
    Row{"https://example.com/a?l[]=1&l[]=2", "example.com/a?l%5B%5D=1&l%5B%5D=2", "lists"},
    Row{"https://example.com/a?u=/b?c", "example.com/a?u=/b?c", "slash and `?` in a query"},
    Row{"https://example.com/a?utm_source=n&x=1&fbclid=q", "example.com/a?x=1", "tracking"},
    Row{"https://example.com/a?UTM_Source=n", "example.com/a", "tracking, any case"},
    Row{"https://example.com/a?%75tm_source=n", "example.com/a", "tracking, escaped"},
    Row{"https://example.com/a?x=1&token=q", "example.com/a?x=1", "secrets"},
    Row{"https://example.com/a?reset_Token=q", "example.com/a", "secrets, by their ending"},
    Row{"https://example.com/a?p%61ssword=q", "example.com/a", "secrets, escaped"},
    Row{"https://example.com/a?user[email]=q", "example.com/a", "secrets in brackets"},
    Row{"https://example.com/a?x=1&amp;token=q", "example.com/a?x=1", "a link escaped twice"},
    Row{"https://example.com/a?x=1;token=q", "example.com/a", "a secret inside a value"},
    Row{"https://example.com/a?next=%2Fb%3Ftoken%3Dq", "example.com/a",
        "a secret in a URL in a value"},
    Row{"https://example.com/a?tokenise=1", "example.com/a?tokenise=1", "not a secret's name"},
    Row{"https://unknown.example/a", "unknown_site", "nobody registered it"},
    Row{"https://blog.example.com/a", "unknown_site", "a subdomain is another host"},
    Row{"", "bad_url", "nothing"},
    Row{"example.com/a", "bad_url", "no scheme"},
    Row{"//example.com/a", "bad_url", "no scheme"},
    Row{"/a", "bad_url", "no host"},
    Row{"https://", "bad_url", "no host"},
    Row{"https:///", "bad_url", "no host"},
    Row{"https://./", "bad_url", "no host"},
    Row{"https://a..b/", "bad_url", "an empty label"},
    Row{"https://exa mple.com/", "bad_url", "a space in the host"},
    Row{"https://exa%20mple.com/", "bad_url", "likewise"},
    Row{"https://\xff.example/", "bad_url", "a host that is not UTF-8"},
    Row{"https://[::g]/", "bad_url", "no address"},
    Row{"https://127./", "bad_url", "a number is no name"},
    Row{"https://example.1/", "bad_url", "likewise"},
    Row{"https://example.com:65536/", "bad_url", "no port"},
    Row{"https://example.com/\n", "bad_url", "a control character"},
    Row{"https://example.com/#\x7f", "bad_url", "a control character, anywhere"},
    Row{"ftp://example.com/a", "bad_url", "another scheme"},
    Row{"data:text/html,x", "bad_url", "another scheme"},
    Row{"javascript:alert(1)", "bad_url", "another scheme"},
    Row{"about:blank", "bad_url", "another scheme"},
    Row{"file:///etc/hosts", "bad_url", "another scheme"},
};

struct Settings {
  std::string_view title;
  QueryRule query;
  std::vector<std::string> query_keep;
  SlashRule trailing_slash;
  std::vector<Row> rows;
};

std::vector<Settings> settings_rows() {
  return {
      {"query = drop",
       QueryRule::drop,
       {},
       SlashRule::keep,
       {{"https://example.com/a?x=1", "example.com/a", "no parameter counts"},
        {"https://example.com/a/?x=1", "example.com/a/", "the slash still does"}}},
      {"query = only, query_keep = id, l[], token, utm_source",
       QueryRule::only,
       {"id", "l[]", "token", "utm_source"},
       SlashRule::keep,
       {{"https://example.com/a?x=1&id=2", "example.com/a?id=2", "those named"},
        {"https://example.com/a?%69d=2", "example.com/a?id=2", "escaped or not"},
        {"https://example.com/a?ID=2", "example.com/a", "with their case"},
        {"https://example.com/a?l%5B%5D=1&l[]=2", "example.com/a?l%5B%5D=1&l%5B%5D=2", "lists"},
        {"https://example.com/a?utm_source=n", "example.com/a?utm_source=n",
         "a tracking name, if it is named here"},
        {"https://example.com/a?token=q", "example.com/a", "a secret name never"}}},
      {"trailing_slash = strip",
       QueryRule::keep,
       {},
       SlashRule::strip,
       {{"https://example.com/a/", "example.com/a", "/a/ is /a"},
        {"https://example.com/a//", "example.com/a", "however many"},
        {"https://example.com/a/?x=1", "example.com/a?x=1", "before a query too"},
        {"https://example.com/", "example.com/", "the root keeps its own"},
        {"https://example.com//", "example.com/", "likewise"}}},
  };
}

std::vector<Site> sites_with(const Settings& settings) {
  auto sites = example_sites();
  for (auto& site : sites) {
    site.query = settings.query;
    site.query_keep = settings.query_keep;
    site.trailing_slash = settings.trailing_slash;
  }
  return sites;
}

TEST(PageUrl, EachRowOfTheTableIsSpelledAsWritten) {
  TestDoor door;
  for (const auto& row : kDefaultRows) EXPECT_EQ(door.page(row.sent), row.page) << row.sent;
  // Once more, now that the memo knows them.
  for (const auto& row : kDefaultRows) EXPECT_EQ(door.page(row.sent), row.page) << row.sent;
  static_assert(kDefaultRows.size() >= 60);
}

TEST(PageUrl, EachSiteSettingHasItsRows) {
  for (const auto& settings : settings_rows()) {
    TestDoor door(sites_with(settings));
    for (const auto& row : settings.rows) {
      EXPECT_EQ(door.page(row.sent), row.page) << settings.title << ": " << row.sent;
    }
  }
}

TEST(PageUrl, SpellingWhatWasSpelledChangesNothing) {
  auto all = settings_rows();
  all.push_back({"",
                 QueryRule::keep,
                 {},
                 SlashRule::keep,
                 std::vector<Row>(kDefaultRows.begin(), kDefaultRows.end())});
  for (const auto& settings : all) {
    TestDoor door(sites_with(settings));
    for (const auto& row : settings.rows) {
      if (row.page.find('/') == std::string_view::npos) continue;
      EXPECT_EQ(door.page("https://" + std::string(row.page)), row.page);
      EXPECT_EQ(door.page("http://" + std::string(row.page)), row.page);
    }
  }
}

TEST(PageUrl, EqualSpellingsAreOnePageAndOthersAreNot) {
  TestDoor door;
  std::map<std::string, PageKey> keys;
  for (const auto& row : kDefaultRows) {
    const auto result = door.ingest.page_of(row.sent);
    if (const auto* page = std::get_if<Ingest::PageName>(&result)) {
      const auto [known, is_new] = keys.emplace(page->url, page->page);
      EXPECT_EQ(known->second, page->page) << row.sent;
    }
  }
  std::set<PageKey> distinct;
  for (const auto& [url, key] : keys) distinct.insert(key);
  EXPECT_EQ(distinct.size(), keys.size());
}

TEST(PageUrl, TheSamePathOfTwoSitesIsTwoPages) {
  const std::string_view same = "example.com/";
  EXPECT_NE(page_key(kTestHashKey, SiteId{1}, same), page_key(kTestHashKey, SiteId{2}, same));
}

// One page, in a way that a visitor might send it.
std::string some_spelling(SeededEntropy& chance) {
  constexpr std::array kHosts = {"example.com",  "EXAMPLE.com",     "www.example.com",
                                 "example.com.", "joe@example.com", "ex%61mple.com"};
  constexpr std::array kPorts = {"", ":80", ":443", ":"};
  constexpr std::array kPaths = {"/a/\xc3\xbc", "/./a/%c3%bc", "/b/../a/%C3%BC", "/%61/%C3%bc",
                                 "/%2e/a/\xc3\xbc"};
  constexpr std::array kNoise = {"utm_source=n",  "token=q", "gclid=1",           "",
                                 "user[email]=q", "SID=2",   "next=%3Fsecret%3Dq"};
  const auto one_of = [&](const auto& choices) { return choices[chance.below(choices.size())]; };
  std::vector<std::string> query = {"x=1 2", "y="};
  if (chance.below(2) == 0) query = {"y", "x=1+2"};
  for (auto i = chance.below(4); i > 0; --i) {
    const auto at = static_cast<std::ptrdiff_t>(chance.below(query.size() + 1));
    query.insert(query.begin() + at, one_of(kNoise));
  }
  std::string url = chance.below(2) == 0 ? "http://" : "HTTPS://";
  url = url + one_of(kHosts) + one_of(kPorts) + one_of(kPaths);
  char separator = '?';
  for (const auto& parameter : query) {
    url += separator + parameter;
    separator = '&';
  }
  return chance.below(2) == 0 ? url : url + "#part";
}

TEST(PageUrl, ManySpellingsAreOnePage) {
  TestDoor door;
  SeededEntropy chance(20261122);
  for (int i = 0; i < 5000; ++i) {
    const auto url = some_spelling(chance);
    ASSERT_EQ(door.page(url), "example.com/a/%C3%BC?x=1%202&y") << url;
  }
}

TEST(PageUrl, ALengthAtTheLimitIsAPageAndOnePastItIsNone) {
  TestDoor door;
  const auto url_of = [](std::size_t size) {
    const std::string head = "https://example.com/";
    return head + std::string(size - head.size(), 'a');
  };
  EXPECT_EQ(door.page(url_of(kUrlBytesMax)), url_of(kUrlBytesMax).substr(8));
  EXPECT_EQ(door.page(url_of(kUrlBytesMax + 1)), "url_too_long");
  EXPECT_EQ(door.page(url_of(64 * 1024)), "url_too_long");
  // As spelled: a space takes three.
  const std::string host = "example.com/";
  const std::string fits = "https://" + host + std::string((kUrlBytesMax - host.size()) / 3, '{');
  EXPECT_LE(door.page(fits).size(), kUrlBytesMax);
  EXPECT_GT(door.page(fits).size(), kUrlBytesMax - 3);
  EXPECT_EQ(door.page(fits + "{"), "url_too_long");
}

TEST(PageUrl, AHostAtTheLimitIsAHostAndOnePastItIsNone) {
  const std::string host(kHostBytesMax, 'a');
  TestDoor door({make_site(1, host)});
  EXPECT_EQ(door.page("https://" + host + "/"), host + "/");
  EXPECT_EQ(door.page("https://" + host + "a/"), "bad_url");
}

constexpr std::string_view kMarker = "MARKER7f3a";

// Ways to write a parameter's name that mean the same.
std::vector<std::string> ways_to_write(std::string_view name) {
  std::string upper;
  std::string escaped;
  std::string dashed;
  for (const char c : name) {
    upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    put_escape(escaped, c);
    dashed += c;
    dashed += '-';
  }
  const std::string plain(name);
  return {plain,
          upper,
          escaped,
          dashed,
          "_" + plain,
          plain + "[]",
          "user[" + plain + "]",
          "user%5B" + upper + "%5D",
          "amp;" + plain};
}

std::vector<std::string_view> secret_names() {
  std::vector<std::string_view> names(kSecretNames.begin(), kSecretNames.end());
  names.insert(names.end(), kSecretEndings.begin(), kSecretEndings.end());
  return names;
}

TEST(PageUrl, NoSecretParameterReachesThePage) {
  TestDoor door;
  for (const auto name : secret_names()) {
    for (const auto& way : ways_to_write(name)) {
      std::string pair = way + "=" + std::string(kMarker);
      std::string nested;
      for (const char c : "/b?c=1&" + pair) put_escape(nested, c);
      std::string nested_twice;
      for (const char c : "/b?u=" + nested) put_escape(nested_twice, c);
      for (const auto& query : {pair, "a=1&" + pair, pair + "&a=1", "next=/b?" + pair,
                                "next=" + nested, "next=" + nested_twice, "a=1;" + pair}) {
        const auto page = door.page("https://example.com/p?" + query);
        EXPECT_TRUE(page.starts_with("example.com/p")) << query;
        EXPECT_EQ(page.find(kMarker), std::string::npos) << query;
      }
      const auto page = door.page("https://example.com/p;" + std::string(name) + "=" +
                                  std::string(kMarker) + "/q");
      EXPECT_EQ(page, "example.com/p/q");
    }
  }
}

TEST(PageUrl, TheSearchForSecretsWouldFindOne) {
  TestDoor door;
  for (const auto query : {"colour=", "next=%2Fb%3Fcolour%3D", "tokens_left="}) {
    const auto page = door.page("https://example.com/p?" + (query + std::string(kMarker)));
    EXPECT_NE(page.find(kMarker), std::string::npos) << query;
  }
}

TEST(PageUrl, WhatIsWrappedTooDeepToReadIsNotKept) {
  TestDoor door;
  std::string value = "?token=" + std::string(kMarker);
  for (int depth = 1; depth <= 7; ++depth) {
    std::string wrapped;
    for (const char c : value) {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
        wrapped += c;
      } else {
        put_escape(wrapped, c);
      }
    }
    value = wrapped;
    EXPECT_EQ(door.page("https://example.com/p?u=" + value), "example.com/p") << depth;
  }
}

TEST(Referrer, KeepsNoQueryUserOrFragment) {
  UrlReader reader;
  std::string text;
  const auto spelled = [&](std::string_view referrer) {
    spell_referrer(reader, referrer, text);
    return text;
  };
  EXPECT_EQ(spelled("https://Joe:pw@News.Example:443/a?token=q#x"), "https://news.example/a");
  EXPECT_EQ(spelled("http://news.example:8080"), "http://news.example:8080/");
  EXPECT_EQ(spelled("android-app://com.google.android.gm/"),
            "android-app://com.google.android.gm/");
  EXPECT_EQ(spelled("https://news.example/a;jsessionid=1"), "https://news.example/a");
  for (const auto none : {"", "about:client", "data:text/html,x", "news.example", "ftp://a.b/"}) {
    EXPECT_EQ(spelled(none), "") << none;
  }
}

TEST(Referrer, OneThatIsTooLongKeepsItsHost) {
  UrlReader reader;
  std::string text;
  const std::string head = "https://news.example/";
  const std::string fits = head + std::string(kReferrerBytesMax - head.size(), 'a');
  spell_referrer(reader, fits, text);
  EXPECT_EQ(text, fits);
  spell_referrer(reader, fits + "a", text);
  EXPECT_EQ(text, "https://news.example/");
}

// As a cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\xff') {
      put_escape(out, c);
      out.replace(out.size() - 3, 1, "\\x");
    } else if (c == '|') {
      out += "\\|";
    } else {
      out += c;
    }
  }
  if (out.empty()) return "";
  return out.find('`') == std::string::npos ? "`" + out + "`" : "`` " + out + " ``";
}

template <class Rows>
void put_rows(std::ostream& out, const Rows& rows) {
  out << "\n| sent | page | why |\n| --- | --- | --- |\n";
  for (const auto& row : rows) {
    out << "| " << cell(row.sent) << " | " << cell(row.page) << " | " << row.why << " |\n";
  }
}

template <std::size_t n>
void put_names(std::ostream& out, const std::array<std::string_view, n>& names) {
  constexpr std::size_t kColumns = 100;
  std::size_t column = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto word = "`" + std::string(names[i]) + (i + 1 < n ? "`," : "`.");
    if (column + 1 + word.size() > kColumns) column = 0;
    if (i > 0) out << (column == 0 ? "\n" : " ");
    out << word;
    column += 1 + word.size();
  }
  out << "\n";
}

// The part of docs/reference/pages.md after kGenerated.
std::string generated_docs() {
  std::ostringstream out;
  put_rows(out, kDefaultRows);
  for (const auto& settings : settings_rows()) {
    out << "\n### `" << settings.title << "`\n";
    put_rows(out, settings.rows);
  }
  out << "\n## Tracking parameters\n\n";
  put_names(out, kTrackingNames);
  out << "\nAnd every name that begins with one of these:\n\n";
  put_names(out, kTrackingPrefixes);
  out << "\n## Secret parameters\n\n";
  put_names(out, kSecretNames);
  out << "\nAnd every name that ends in one of these:\n\n";
  put_names(out, kSecretEndings);
  return out.str();
}

TEST(PageUrl, TheReferencePageSaysWhatTheTablesSay) {
  constexpr std::string_view kGenerated = "<!-- From here on written by ingest_test. -->\n";
  const auto path = std::filesystem::path(__FILE__).parent_path() / "../../docs/reference/pages.md";
  std::ostringstream read;
  read << std::ifstream(path).rdbuf();
  const auto text = read.str();
  const auto at = text.find(kGenerated);
  ASSERT_NE(at, std::string::npos) << path << " has lost its mark";
  const auto right = text.substr(0, at + kGenerated.size()) + generated_docs();
  if (std::getenv("NANDO_WRITE_DOCS") != nullptr) std::ofstream(path) << right;
  EXPECT_TRUE(text == right) << "run again with NANDO_WRITE_DOCS=1, and look at what changed";
}

}  // namespace
}  // namespace nando
