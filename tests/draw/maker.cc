// draw_maker make FOLDER      writes NAME.json and NAME.csv of promotions of every rule, as
// published
//                             and as entries files
// draw_maker check FILE...    our own check of each; with FILE.csv beside FILE.json also its
// entries.
//                             A line a file: its contradictions by their words, or 'agree'
#include <fstream>
#include <iostream>
#include <iterator>

#include "prizes/test_proof.h"
#include "wire/promotion_json.h"

namespace nando {
namespace {

void write(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) std::cerr << "cannot write " << path << '\n';
}

void publish(const std::string& path, const SimulatedPromotion& promotion, const Proof& proof) {
  write(path + ".json", write_proof(proof));
  write(path + ".csv", promotion.entries_file());
}

void make_at_end(const std::string& path, const Promotion& rules, std::uint64_t entries) {
  SimulatedPromotion promotion(rules);
  promotion.enter_many(entries);
  publish(path, promotion, promotion.published_at_end());
}

Promotion by_entries(std::uint64_t window_entries, std::uint32_t windows, std::uint32_t winners) {
  auto rules = test_promotion();
  rules.window_entries = window_entries;
  rules.window_count = windows;
  rules.winners = winners;
  return rules;
}

void make(const std::string& folder) {
  make_at_end(folder + "/entries", test_promotion(), 137);
  make_at_end(folder + "/full", test_promotion(), 200);
  make_at_end(folder + "/nobody", test_promotion(), 0);
  make_at_end(folder + "/days", test_promotion_by_day(20), 137);
  make_at_end(folder + "/empty_days", test_promotion_by_day(20), 7);
  make_at_end(folder + "/every", test_promotion(WinRule::every), 137);
  make_at_end(folder + "/exact", test_promotion(WinRule::exact), 137);
  make_at_end(folder + "/sealed", test_promotion(WinRule::sealed), 137);
  make_at_end(folder + "/all_win", by_entries(10, 5, 10), 44);

  SimulatedPromotion running(test_promotion_by_day(20));
  running.enter_many(137);
  auto proof = running.published(running.rules().closes - std::chrono::milliseconds{1});
  publish(folder + "/running", running, proof);

  SimulatedPromotion sealed(test_promotion(WinRule::sealed));
  sealed.enter_many(1'000);
  proof = sealed.published(sealed.rules().outside_at, "3 7 12 19 33 41 \u2713");
  publish(folder + "/revealed", sealed, proof);

  make_at_end(folder + "/ten_thousand_windows", by_entries(20, 10'000, 2), 200'000);
  make_at_end(folder + "/million_entries", by_entries(1'000, 1'000, 1), 1'000'000);
}

std::string check(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const auto proof = read_proof(text);
  if (!proof) return "unreadable: " + proof.error().message;
  Evidence evidence;
  std::ifstream entries(path.substr(0, path.rfind('.')) + ".csv");
  EntriesFile file(entries);
  if (entries) evidence.entries = [&] { return file.next(); };
  std::string words;
  for (const auto& each : check_proof(*proof, evidence)) {
    words += (words.empty() ? "" : " ") + std::string(name_of(each.fault));
  }
  return words.empty() ? "agree" : words;
}

}  // namespace
}  // namespace nando

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.size() == 2 && words[0] == "make") {
    nando::make(words[1]);
    return 0;
  }
  if (words.empty() || words[0] != "check") return 2;
  for (std::size_t i = 1; i < words.size(); ++i) std::cout << nando::check(words[i]) << '\n';
  return 0;
}
