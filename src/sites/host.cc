#include "sites/host.h"

#include <algorithm>
#include <vector>

#include "base/address.h"
#include "model/site.h"

namespace nando {

namespace {

constexpr std::size_t kLabelBytesMax = 63;

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

Error wrong(std::string_view text, const std::string& why) {
  constexpr std::size_t kShownBytesMax = 80;
  const auto shown = text.size() > kShownBytesMax
                         ? std::string(text.substr(0, kShownBytesMax)) + "..."
                         : std::string(text);
  return {Code::invalid, "'" + shown + "' is no host: " + why};
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), to_lower);
  return out;
}

// What lies between scheme and path of a pasted URL, without user, port and final slash.
std::string_view host_part(std::string_view text) {
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    text.remove_prefix(scheme + 3);
  }
  text = text.substr(0, text.find_first_of("/?#"));
  if (const auto user = text.rfind('@'); user != std::string_view::npos)
    text.remove_prefix(user + 1);
  if (text.starts_with('[')) return text.substr(0, text.find(']') + 1);
  if (std::ranges::count(text, ':') == 1) text = text.substr(0, text.find(':'));
  return text;
}

// An underscore is in no standard and in many names.
constexpr bool may_be_in_label(char c) {
  return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
}

// Why `name` is none, or nothing.
std::string_view label_problem(std::string_view name) {
  for (std::size_t begin = 0; begin <= name.size();) {
    const auto end = std::min(name.find('.', begin), name.size());
    const auto label = name.substr(begin, end - begin);
    if (label.empty()) return "a part between two dots is empty";
    if (label.size() > kLabelBytesMax) return "a part between two dots has over 63 characters";
    if (label.front() == '-' || label.back() == '-') return "a part begins or ends with a hyphen";
    if (!std::ranges::all_of(label, may_be_in_label)) {
      return "it has a character that is no letter, digit, hyphen or dot (write names of other "
             "scripts in their xn-- form)";
    }
    begin = end + 1;
  }
  // A browser reads "1.2.3" or "7" as an address, so no name ends in a number.
  const auto last = name.substr(name.rfind('.') + 1);
  if (std::ranges::all_of(last, is_digit)) return "it ends in a number and is no IPv4 address";
  return {};
}

std::string bracketed(std::string_view text) {
  return text.starts_with('[') ? std::string(text) : "[" + std::string(text) + "]";
}

bool is_address(std::string_view host, IpAddress::Family family) {
  if (family == IpAddress::Family::v6 && host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  if (family == IpAddress::Family::v6 && host.find(':') == std::string_view::npos) return false;
  const auto address = IpAddress::parse(host);
  return address && (address->family == family || family == IpAddress::Family::v6);
}

}  // namespace

Result<HostName> parse_host(std::string_view text) {
  if (text.empty()) return Error{Code::invalid, "a host is empty; write one like blog.example.com"};
  HostName out{lower(text), {}};
  if (is_address(out.host, IpAddress::Family::v4)) return out;
  if (is_address(out.host, IpAddress::Family::v6)) {
    out.host = bracketed(out.host);
    return out;
  }
  if (text.find_first_of("/?#@:") != std::string_view::npos) {
    const auto inner = host_part(text);
    const auto meant =
        inner == text ? Result<HostName>(Error{Code::invalid, {}}) : parse_host(inner);
    const bool has_path = text.find_first_of("/?#@") != std::string_view::npos;
    const std::string why = has_path ? "it is a URL" : "it has a port, and a site is all its ports";
    return wrong(text, meant ? why + "; the host in it is " + meant->host : why);
  }
  if (out.host.ends_with('.')) out.host.pop_back();
  if (out.host.starts_with("www.") && out.host.find('.', 4) != std::string::npos) {
    out.host.erase(0, 4);
    out.note = "www." + out.host + " is counted with " + out.host;
  }
  if (out.host.size() > kHostBytesMax) return wrong(text, "it has over 253 characters");
  if (const auto problem = label_problem(out.host); !problem.empty()) {
    return wrong(text, std::string(problem));
  }
  return out;
}

}  // namespace nando
