#include "pipeline_serve/http/head.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace penstock::serve {
namespace {

bool is_token(char c) {
  const bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9');
  return is_alnum ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_tokens(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token);
}

/// No NUL, CR, LF or other control but the tab.
bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
  });
}

/// Cuts the first line off `bytes`, without its CRLF; nothing where none ends.
std::optional<std::string_view> take_line(std::string_view& bytes) {
  const auto end = bytes.find("\r\n");
  if (end == std::string_view::npos) return {};
  const auto line = bytes.substr(0, end);
  bytes.remove_prefix(end + 2);
  return line;
}

/// A path, or what is behind the origin of an absolute target.
std::optional<std::string> target_of(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!same_word(text.substr(0, scheme.size()), scheme)) continue;
    const auto path = text.find('/', scheme.size());
    return path == std::string_view::npos ? "/"
                                          : std::string(text.substr(path));
  }
  if (text == "*") return std::string(text);
  if (text.empty() || text[0] != '/' ||
      text.find('#') != std::string_view::npos) {
    return {};
  }
  return std::string(text);
}

std::optional<HttpError> read_first_line(std::string_view line, Head& head) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return http_error(400,
                      "the first line is no request such as 'GET / HTTP/1.1'");
  }
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!is_tokens(method) || target.find(' ') != std::string_view::npos ||
      !is_printable(target)) {
    return http_error(400,
                      "the first line is no request such as 'GET / HTTP/1.1'");
  }
  if (version.size() != 8 || !version.starts_with("HTTP/")) {
    return http_error(400, "the first line ends with no version of HTTP");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return http_error(505, "HTTP/1.1 is spoken here");
  }
  auto read = target_of(target);
  if (!read) return http_error(400, "the target is no path");
  head.method = method;
  head.target = std::move(*read);
  head.minor = version.back() == '1' ? 1 : 0;
  return {};
}

std::optional<HttpError> read_field(std::string_view line, Head& head) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_tokens(line.substr(0, colon))) {
    return http_error(400, "a header line is no 'name: value'");
  }
  const auto value = line.substr(colon + 1);
  if (!is_printable(value)) {
    return http_error(400, "a header field has a control character");
  }
  head.fields.add(std::string(line.substr(0, colon)),
                  std::string(trimmed(value)));
  return {};
}

/// Every value of a field, in order.
std::vector<std::string_view> values(const Fields& fields,
                                     std::string_view name) {
  std::vector<std::string_view> out;
  for (const auto& [key, value] : fields.all()) {
    if (same_word(key, name)) out.emplace_back(value);
  }
  return out;
}

std::optional<HttpError> read_length(Head& head) {
  const auto lengths = values(head.fields, "content-length");
  if (lengths.empty()) return {};
  std::uint64_t length = 0;
  const std::string_view text = lengths[0];
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), length);
  if (lengths.size() > 1 || text.empty() || text[0] == '-' ||
      error != std::errc() || end != text.data() + text.size()) {
    return http_error(400, "Content-Length is not one number of bytes");
  }
  head.length = length;
  return {};
}

std::optional<HttpError> read_coding(Head& head) {
  const auto codings = values(head.fields, "transfer-encoding");
  if (codings.empty()) return {};
  if (head.length) {
    return http_error(400,
                      "Content-Length and Transfer-Encoding exclude another");
  }
  if (codings.size() > 1 || !same_word(codings[0], "chunked")) {
    return http_error(501, "the one Transfer-Encoding here is chunked");
  }
  if (head.minor == 0) return http_error(400, "HTTP/1.0 has no chunks");
  head.is_chunked = true;
  return {};
}

bool has_word(const Fields& fields, std::string_view name,
              std::string_view word) {
  for (const std::string_view value : values(fields, name)) {
    std::string_view rest = value;
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      if (same_word(trimmed(rest.substr(0, comma)), word)) return true;
      rest.remove_prefix(std::min(comma, rest.size() - 1) + 1);
    }
  }
  return false;
}

std::optional<HttpError> read_meaning(Head& head) {
  const auto hosts = values(head.fields, "host");
  if (hosts.size() > 1 || (hosts.empty() && head.minor == 1)) {
    return http_error(400, "a request has one Host");
  }
  if (auto error = read_length(head)) return error;
  if (auto error = read_coding(head)) return error;
  const auto expects = values(head.fields, "expect");
  head.wants_continue = !expects.empty() && head.minor == 1;
  if (!expects.empty() && !same_word(expects[0], "100-continue")) {
    return http_error(417, "the one expectation met here is 100-continue");
  }
  head.keeps_alive = head.minor == 1
                         ? !has_word(head.fields, "connection", "close")
                         : has_word(head.fields, "connection", "keep-alive");
  return {};
}

std::string_view without_empty_lines(std::string_view bytes) {
  while (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
  return bytes;
}

}  // namespace

std::size_t head_size(std::string_view bytes) {
  const auto rest = without_empty_lines(bytes);
  const auto end = rest.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  return bytes.size() - rest.size() + end + 4;
}

std::optional<HttpError> look_early(std::string_view bytes,
                                    const Limits& limits) {
  if (bytes == "\r") return {};
  auto rest = without_empty_lines(bytes);
  if (bytes.size() - rest.size() > 8) return http_error(400, "empty lines");
  // TLS, HTTP/2 and noise are told at their first byte, not after a while.
  if (!rest.empty() && !is_token(rest[0]) && rest != "\r") {
    return http_error(400, "this is no HTTP/1.1 request");
  }
  const auto line = take_line(rest);
  if (!line) {
    if (rest.size() <= limits.header_bytes) return {};
    return http_error(414, "the first line is too long");
  }
  if (line->size() > limits.header_bytes) {
    return http_error(414, "the first line is too long");
  }
  Head head;
  if (auto error = read_first_line(*line, head)) return error;
  if (rest.size() > limits.header_bytes + 4) {
    return http_error(
        431, str("the header is longer than ", limits.header_bytes, " bytes"));
  }
  return {};
}

std::variant<Head, HttpError> read_head(std::string_view bytes,
                                        const Limits& limits) {
  Head head;
  auto rest = without_empty_lines(bytes);
  const auto first = take_line(rest);
  if (!first || first->size() > limits.header_bytes) {
    return http_error(414, "the first line is too long");
  }
  if (auto error = read_first_line(*first, head)) return *error;
  if (rest.size() > limits.header_bytes + 2) {
    return http_error(
        431, str("the header is longer than ", limits.header_bytes, " bytes"));
  }
  for (auto line = take_line(rest); line && !line->empty();
       line = take_line(rest)) {
    if (auto error = read_field(*line, head)) return *error;
    if (head.fields.all().size() > limits.header_fields) {
      return http_error(431, str("the header has more than ",
                                 limits.header_fields, " fields"));
    }
  }
  if (auto error = read_meaning(head)) return *error;
  return head;
}

}  // namespace penstock::serve
