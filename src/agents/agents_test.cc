// Every agent that crawler-user-agents was made from is a bot, and no agent of a browser is; that
// each pattern is needed shows that a list without it is found out.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "agents/agent_memo.h"
#include "agents/tables/crawlers.h"

namespace nando {
namespace {

std::filesystem::path project() {
  return std::filesystem::path(__FILE__).parent_path() / "../..";
}

std::vector<std::string> lines_of(const char* name) {
  std::ifstream file(project() / "tests/agents" / name);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// Agents by what they are taken for.
std::map<AgentClass, std::vector<std::string>> classes_of(const std::vector<std::string>& agents) {
  std::map<AgentClass, std::vector<std::string>> classes;
  for (const auto& agent : agents) classes[classify_agent(agent)].push_back(agent);
  return classes;
}

TEST(AgentClass, EveryCrawlerIsOneAndImageProxiesAmongThemAreThat) {
  const auto agents = lines_of("crawlers.txt");
  ASSERT_GE(agents.size(), 2000U);
  auto classes = classes_of(agents);
  EXPECT_EQ(classes[AgentClass::person], std::vector<std::string>());
  EXPECT_EQ(classes[AgentClass::bot].size(), agents.size() - 4);
  EXPECT_EQ(classes[AgentClass::image_proxy].size(), 4U);
}

TEST(AgentClass, NoBrowserIsTakenForABot) {
  const auto agents = lines_of("browsers.txt");
  ASSERT_GE(agents.size(), 300U);
  auto classes = classes_of(agents);
  EXPECT_EQ(classes[AgentClass::bot], std::vector<std::string>());
  EXPECT_EQ(classes[AgentClass::image_proxy], std::vector<std::string>());
  RecordProperty("false_positives", 0);
}

struct AgentRow {
  std::string_view agent;
  AgentClass expected;
};
constexpr auto kPerson = AgentClass::person;
constexpr auto kBot = AgentClass::bot;
constexpr auto kProxy = AgentClass::image_proxy;

constexpr std::array kAgentRows = {
    // Browsers that are rare in any list, or whose names look like a bot's.
    AgentRow{"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", kPerson},
    AgentRow{"Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) "
             "Chrome/126.0.0.0 Mobile Safari/537.36",
             kPerson},
    AgentRow{"Mozilla/5.0 (Linux; Android 13; SM-S908B) AppleWebKit/537.36 (KHTML, like Gecko) "
             "SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
             kPerson},
    AgentRow{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
             "like Gecko) GSA/320.0.6 Mobile/15E148 Safari/604.1",
             kPerson},
    AgentRow{"Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 (KHTML, like Gecko) "
             "Silk/126.4.1 like Chrome/126.0.6478.122 Safari/537.36",
             kPerson},
    AgentRow{"Opera/9.80 (Android; Opera Mini/36.2.2254/191.256; U; en) Presto/2.12.423 "
             "Version/12.16",
             kPerson},
    AgentRow{"Mozilla/5.0 (PlayStation; PlayStation 5/8.40) AppleWebKit/605.1.15 (KHTML, like "
             "Gecko)",
             kPerson},
    AgentRow{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
             "Chrome/126.0.0.0 YaBrowser/24.6.0.0 Safari/537.36",
             kPerson},
    AgentRow{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
             "like Gecko) Mobile/15E148 Instagram 337.0.3.23.54",
             kPerson},
    AgentRow{"Lynx/2.9.0dev.12 libwww-FM/2.14 SSL-MM/1.4.1", kPerson},
    AgentRow{"a text nobody knows", kPerson},
    // What no browser can be.
    AgentRow{"", kBot},
    AgentRow{"Mozilla/5.0\n(X11)", kBot},
    AgentRow{"Mozilla/5.0\t(X11)", kBot},
    AgentRow{"Mozilla/5.0 \x7f", kBot},
    // Libraries and tools.
    AgentRow{"curl/8.5.0", kBot},
    AgentRow{"Wget/1.21.4", kBot},
    AgentRow{"python-requests/2.32.3", kBot},
    AgentRow{"Go-http-client/2.0", kBot},
    AgentRow{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
             "HeadlessChrome/126.0.0.0 Safari/537.36",
             kBot},
    // Two words with something between.
    AgentRow{"Spider (see www.spider.com)", kBot},
    AgentRow{"Spider of no known house", kPerson},
    // A pattern that must stand at the beginning.
    AgentRow{"something like curl/8.5.0", kPerson},
    // Image proxies.
    AgentRow{"github-camo (c006e452)", kProxy},
    AgentRow{"Camo Asset Proxy 2.3.0", kProxy},
    AgentRow{"go-camo (version 2.4.10)", kProxy},
    AgentRow{"Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com "
             "GoogleImageProxy)",
             kProxy},
    AgentRow{"YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", kProxy},
    AgentRow{"willnorris/imageproxy", kProxy},
};

TEST(AgentClass, Rows) {
  for (const auto& row : kAgentRows) {
    EXPECT_EQ(name_of(classify_agent(row.agent)), name_of(row.expected)) << row.agent;
  }
}

TEST(AgentClass, LongerThanAnyBrowsersIsABot) {
  const std::string start = "Mozilla/5.0 (X11; Linux x86_64) ";
  EXPECT_EQ(classify_agent(start + std::string(kAgentOfBrowserBytesMax - start.size(), 'a')),
            AgentClass::person);
  EXPECT_EQ(classify_agent(start + std::string(kAgentOfBrowserBytesMax - start.size() + 1, 'a')),
            AgentClass::bot);
}

// In tests/agents, what each pattern was made for; by another engine. Were one left out of the
// automaton, its agents would be missing above.
TEST(AgentClass, ManyPatternsAreTheOnlyOneForTheirAgents) {
  std::vector<std::regex> all;
  for (const auto pattern : kCrawlerPatterns) all.emplace_back(pattern.begin(), pattern.end());
  std::size_t alone = 0;
  const auto agents = lines_of("crawlers.txt");
  for (std::size_t i = 0; i < agents.size(); i += 16) {
    std::size_t found = 0;
    for (const auto& pattern : all) found += std::regex_search(agents[i], pattern);
    alone += found == 1;
  }
  EXPECT_GT(alone, agents.size() / 16 / 2);
}

int classified = 0;
AgentClass classify_and_count(std::string_view agent) {
  ++classified;
  return agent.starts_with("bot") ? AgentClass::bot : AgentClass::person;
}

TEST(AgentMemo, KnowsTwoThousandAgentsAndStaysBounded) {
  AgentMemo memo(Key128{std::byte{7}}, classify_and_count);
  const auto ask_all = [&](int from, int to) {
    classified = 0;
    for (int i = from; i < to; ++i) {
      const auto name = (i % 3 == 0 ? "bot " : "person ") + std::to_string(i);
      EXPECT_EQ(memo.class_of(name), i % 3 == 0 ? AgentClass::bot : AgentClass::person) << name;
    }
    return classified;
  };
  EXPECT_EQ(ask_all(0, 2000), 2000);
  for (int i = 0; i < 3; ++i) EXPECT_LT(ask_all(0, 2000), 20);  // A set of four may have a fifth.
  EXPECT_EQ(ask_all(2000, 100'000), 98'000);
  EXPECT_GT(ask_all(0, 2000), 1900);  // Others took their places.
}

TEST(AgentMemo, AgentsPushEachOtherOutByAKeyThatTheyDoNotKnow) {
  // Those that one key puts into one place are spread by another.
  const auto missing = [](const Key128& key, const std::vector<std::string>& agents) {
    AgentMemo memo(key, classify_and_count);
    for (const auto& agent : agents) memo.class_of(agent);
    classified = 0;
    for (const auto& agent : agents) memo.class_of(agent);
    return classified;
  };
  const Key128 known{std::byte{1}};
  std::vector<std::string> chosen;
  for (int i = 0; chosen.size() < 40; ++i) {
    const auto agent = "agent " + std::to_string(i);
    const auto hash = siphash128(known, as_bytes(std::string_view(agent)));
    if (load<std::uint64_t>(hash.data()) % (AgentMemo::kEntries / 4) == 5) chosen.push_back(agent);
  }
  EXPECT_EQ(missing(known, chosen), 40);
  EXPECT_LT(missing(Key128{std::byte{2}}, chosen), 10);
}

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(BotsPage, HasEveryImageProxyAndTheLimit) {
  const auto page = text_of(project() / "docs/reference/bots.md");
  std::size_t rows = 0;
  for (const auto& proxy : kImageProxies) {
    const auto row = "| `" + std::string(proxy.text) + "` | " + std::string(proxy.about) + " |";
    EXPECT_NE(page.find(row), std::string::npos) << row;
    ++rows;
  }
  const std::regex line(R"re(\n\| `[A-Za-z/ -]+` \| )re");
  const auto heading = page.find("## Image proxies");
  ASSERT_NE(heading, std::string::npos);
  const auto section = page.substr(heading);
  EXPECT_EQ(std::distance(std::sregex_iterator(section.begin(), section.end(), line), {}), rows);
  EXPECT_NE(page.find("1,024 bytes"), std::string::npos);
  EXPECT_EQ(kAgentOfBrowserBytesMax, 1024U);
}

}  // namespace
}  // namespace nando
