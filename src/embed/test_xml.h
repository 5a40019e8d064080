// A strict reader of the XML that badges are, for tests and fuzzing: no prolog, comment, CDATA or
// processing instruction, five entities, quoted attributes, and elements of a closed list, none of
// which runs or loads anything.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nando {

inline constexpr std::array<std::string_view, 10> kBadgeElements = {
    "svg",  "title",    "filter", "feGaussianBlur", "linearGradient",
    "stop", "clipPath", "g",      "rect",           "text"};
inline constexpr std::array<std::string_view, 27> kBadgeAttributes = {
    "xmlns",      "width",       "height",         "role",
    "aria-label", "id",          "stdDeviation",   "x2",
    "y2",         "offset",      "stop-color",     "stop-opacity",
    "rx",         "clip-path",   "fill",           "x",
    "y",          "text-anchor", "text-rendering", "font-family",
    "font-size",  "transform",   "aria-hidden",    "fill-opacity",
    "textLength", "filter",      "shape-rendering"};

struct BadgeXml {
  std::string shape;               // Tags and names of attributes, in order, and nothing else.
  std::vector<std::string> texts;  // What stands in <title> and <text>, and in aria-label.
};

class BadgeXmlReader {
 public:
  explicit BadgeXmlReader(std::string_view xml) : rest_(xml) {}

  // Nothing if it is not well-formed or has what a badge does not.
  std::optional<BadgeXml> read() {
    while (good_ && !rest_.empty()) {
      if (rest_.starts_with("</")) {
        close();
      } else if (rest_.front() == '<') {
        open();
      } else {
        text();
      }
    }
    if (!good_ || !elements_.empty() || roots_ != 1) return std::nullopt;
    return std::move(xml_);
  }

 private:
  bool take(std::string_view what) {
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }

  std::string_view take_name() {
    const auto is_name = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    };
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_name);
    const auto name = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(name.size());
    return name;
  }

  // The characters up to `end`, which stays, with entities resolved.
  std::string take_text(char end) {
    constexpr std::array<std::array<std::string_view, 2>, 5> kEntities = {
        {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}}};
    std::string out;
    while (good_ && !rest_.empty() && rest_.front() != end) {
      if (rest_.front() == '&') {
        good_ = std::any_of(kEntities.begin(), kEntities.end(), [&](const auto& entity) {
          if (!take(entity[0])) return false;
          out += entity[1];
          return true;
        });
        continue;
      }
      const auto c = static_cast<unsigned char>(rest_.front());
      if (c < 0x20 || c == 0x7f || c == '<' || c == '>' || c == '"' || c == '\'') good_ = false;
      out += rest_.front();
      rest_.remove_prefix(1);
    }
    return out;
  }

  void open() {
    rest_.remove_prefix(1);
    const auto name = take_name();
    good_ = std::find(kBadgeElements.begin(), kBadgeElements.end(), name) != kBadgeElements.end();
    if (elements_.empty()) ++roots_;
    xml_.shape += "<" + std::string(name);
    while (good_ && take(" ")) attribute();
    if (!good_ || take("/>")) return;
    good_ = take(">");
    elements_.push_back(name);
  }

  void attribute() {
    const auto name = take_name();
    const bool known =
        std::find(kBadgeAttributes.begin(), kBadgeAttributes.end(), name) != kBadgeAttributes.end();
    good_ = known && take("=\"");
    auto value = take_text('"');
    good_ = good_ && take("\"");
    xml_.shape += " " + std::string(name);
    if (name == "aria-label") xml_.texts.push_back(std::move(value));
  }

  void close() {
    rest_.remove_prefix(2);
    const auto name = take_name();
    good_ = !elements_.empty() && elements_.back() == name && take(">");
    if (good_) elements_.pop_back();
    xml_.shape += "</";
  }

  void text() {
    good_ = !elements_.empty() && (elements_.back() == "title" || elements_.back() == "text");
    xml_.texts.push_back(take_text('<'));
  }

  std::string_view rest_;
  bool good_ = true;
  int roots_ = 0;
  std::vector<std::string_view> elements_;
  BadgeXml xml_;
};

}  // namespace nando
