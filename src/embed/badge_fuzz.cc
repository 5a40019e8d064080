// Fuzz: any bytes in every field of a badge's query. What is drawn is well-formed, has the shape of
// a plain badge, and says the cleaned label and nothing else that was sent.
#include <cstdint>

#include "base/assert.h"
#include "embed/badge_options.h"
#include "embed/test_xml.h"

namespace nando {
namespace {

// Up to the next newline, which goes too.
std::string_view take_line(std::string_view& text) {
  const auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

std::string draw(const BadgeOptions& options, const BadgeText& label, const BadgeText& message) {
  std::string svg;
  append_badge(svg, {.label = label,
                     .message = message,
                     .color = options.color,
                     .label_color = options.label_color,
                     .style = options.style});
  return svg;
}

void check(std::string_view text) {
  BadgeOptions options;
  const auto sent = take_line(text);
  for (const auto* name : {"color", "label_color", "style", "of", "format"}) {
    (void)set_option(options, name, take_line(text));
  }
  if (set_option(options, "label", sent)) return;
  const auto label = options.label_or_default();
  ASSERT(label.text().size() <= sent.size());
  ASSERT(BadgeText::ours(label.text()).text() == label.text());
  ASSERT(label.width() >= 0);

  const auto message = BadgeText::ours("1,234");
  const auto read = BadgeXmlReader(draw(options, label, message)).read();
  const auto plain = label.empty() ? BadgeText() : BadgeText::ours("hits");
  const auto shape = BadgeXmlReader(draw(options, plain, message)).read();
  ASSERT(read && shape && read->shape == shape->shape);
  const auto all = label.empty() ? "1,234" : label.text() + ": 1,234";
  for (std::size_t i = 0; i < read->texts.size(); ++i) {
    const auto& said = read->texts[i];
    ASSERT(i < 2 ? said == all : said == label.text() || said == "1,234");
  }
}

}  // namespace
}  // namespace nando

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  nando::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
