#include "pipeline_serve/api/uploads/multipart.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "penstock/error.h"
#include "penstock/text.h"
#include "pipeline_serve/http/message.h"

namespace penstock::serve {
namespace {

constexpr std::size_t kMostBoundary = 70;  // RFC 2046
constexpr std::size_t kMostName = 256;

[[noreturn]] void refuse(const std::string& problem) {
  throw http_error(400, "the form: " + problem);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 127 &&
           std::string_view("()<>@,;:\\\"/[]?={}").find(c) ==
               std::string_view::npos;
  });
}

/// What stands behind the value of a header: `; name="value"`, one by one.
class Attributes {
 public:
  explicit Attributes(std::string_view header) : rest_(header) {
    const auto end = std::min(rest_.find(';'), rest_.size());
    value_ = trimmed(rest_.substr(0, end));
    rest_.remove_prefix(end);
  }
  [[nodiscard]] std::string_view value() const { return value_; }
  /// The next one; false: there is none.
  bool next(std::string_view& name, std::string& value) {
    rest_ = trimmed(rest_);
    if (rest_.empty()) return false;
    if (rest_.front() != ';') refuse("a header's attributes are malformed");
    rest_ = trimmed(rest_.substr(1));
    if (rest_.empty()) return false;  // a ';' at the end says nothing
    const auto equals = rest_.find('=');
    name = trimmed(rest_.substr(0, equals));
    if (equals == std::string_view::npos || !is_token(name)) {
      refuse("a header's attribute is not name=value");
    }
    rest_ = trimmed(rest_.substr(equals + 1));
    value = rest_.starts_with('"') ? quoted() : token();
    return true;
  }

 private:
  std::string token() {
    const auto end = std::min(rest_.find(';'), rest_.size());
    const auto text = trimmed(rest_.substr(0, end));
    if (!is_token(text)) refuse("a header's attribute needs quotes");
    rest_.remove_prefix(end);
    return std::string(text);
  }
  /// A backslash is itself but before a quote: file names of Windows have it.
  std::string quoted() {
    std::string out;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return out;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size() && rest_[i + 1] == '"') ++i;
      out += rest_[i];
    }
    refuse("a quoted attribute has no end");
  }

  std::string_view value_, rest_;
};

/// As browsers write what may not stand between quotes.
std::string unescaped(std::string text) {
  constexpr std::array kEscapes{std::pair{std::string_view("%22"), '"'},
                                std::pair{std::string_view("%0D"), '\r'},
                                std::pair{std::string_view("%0A"), '\n'}};
  for (const auto& [code, character] : kEscapes) {
    for (auto at = text.find(code); at != std::string::npos;
         at = text.find(code, at + 1)) {
      text.replace(at, code.size(), 1, character);
    }
  }
  return text;
}

void check_text(std::string_view text, const char* what) {
  const bool has_nul = text.find('\0') != std::string_view::npos;
  if (has_nul || invalid_utf8(text)) refuse(str(what, " is no text in UTF-8"));
}

/// A label, not a path: what stands behind the last slash of either kind.
std::string label_of(const std::string& filename) {
  const auto slash = filename.find_last_of("/\\");
  std::string label =
      slash == std::string::npos ? filename : filename.substr(slash + 1);
  std::replace_if(
      label.begin(), label.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; },
      '_');
  if (label.size() > kMostName) {
    label.resize(kMostName);
    label.resize(complete_utf8(label));
  }
  return label.empty() ? "upload" : label;
}

void read_disposition(std::string_view value, FormPart& part) {
  Attributes attributes(value);
  if (!same_word(attributes.value(), "form-data")) {
    refuse("a part's Content-Disposition is not form-data");
  }
  bool has_name = false;
  std::string_view key;
  for (std::string text; attributes.next(key, text);) {
    if (same_word(key, "name") && !std::exchange(has_name, true)) {
      part.name = unescaped(text);
    } else if (same_word(key, "filename") && !part.is_file) {
      part.is_file = true;
      check_text(text, "a file's name");
      part.filename = label_of(unescaped(text));
    } else if (same_word(key, "name") || same_word(key, "filename")) {
      refuse("a part has two names");
    }  // filename* may not stand in a form (RFC 7578): it says nothing
  }
  if (!has_name || part.name.empty()) refuse("a part has no name");
  if (part.name.size() > kMostName) refuse("a part's name is too long");
  check_text(part.name, "a part's name");
}

void read_header(std::string_view line, FormPart& part, bool& is_disposed) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    refuse("a part's header is malformed");
  }
  const auto name = line.substr(0, colon);
  const auto value = trimmed(line.substr(colon + 1));
  if (same_word(name, "content-disposition")) {
    if (std::exchange(is_disposed, true)) {
      refuse("a part has two Content-Dispositions");
    }
    read_disposition(value, part);
  } else if (same_word(name, "content-transfer-encoding")) {
    const bool is_plain = same_word(value, "binary") ||
                          same_word(value, "8bit") || same_word(value, "7bit");
    if (!is_plain) refuse("send the parts' bytes as they are");
  }
}

std::string boundary_of(std::string_view content_type) {
  Attributes attributes(content_type);
  std::optional<std::string> boundary;
  std::string_view key;
  for (std::string text; attributes.next(key, text);) {
    if (!same_word(key, "boundary")) continue;
    if (boundary) refuse("the Content-Type has two boundaries");
    boundary = text;
  }
  if (!boundary) refuse("the Content-Type has no boundary");
  const bool is_known =
      std::all_of(boundary->begin(), boundary->end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
               (c >= 'A' && c <= 'Z') ||
               std::string_view("'()+_,-./:=? ").find(c) !=
                   std::string_view::npos;
      });
  if (boundary->empty() || boundary->size() > kMostBoundary || !is_known ||
      boundary->back() == ' ') {
    refuse("the boundary is not one to 70 of the characters that it may have");
  }
  return *boundary;
}

/// Goes through a body part by part.
class Reader {
 public:
  Reader(const std::string& boundary, std::string_view body,
         const FormLimits& limits)
      : delimiter_("\r\n--" + boundary), rest_(body), limits_(limits) {
    const auto first = std::string_view(delimiter_).substr(2);
    if (rest_.starts_with("\r\n")) rest_.remove_prefix(2);
    if (!rest_.starts_with(first)) refuse("it does not begin with a boundary");
    rest_.remove_prefix(first.size());
  }
  /// The next part; false: that was the last.
  bool next(FormPart& part) {
    if (rest_.starts_with("--")) {
      rest_.remove_prefix(2);
      end();
      return false;
    }
    end_line();
    read_head(part);
    const auto end = rest_.find(delimiter_);
    if (end == std::string_view::npos) refuse("it ends within a part");
    part.content = rest_.substr(0, end);
    rest_.remove_prefix(end + delimiter_.size());
    if (!part.is_file && part.content.size() > limits_.field_bytes) {
      refuse(str("a field has more than ", limits_.field_bytes, " bytes"));
    }
    return true;
  }

 private:
  /// The rest of a boundary's line, where blanks may stand.
  void end_line() {
    const auto end = rest_.find_first_not_of(" \t");
    rest_.remove_prefix(std::min(end, rest_.size()));
    if (!rest_.starts_with("\r\n")) refuse("a boundary's line goes on");
    rest_.remove_prefix(2);
  }
  void end() const {
    const auto blank = trimmed(rest_);
    if (!blank.empty() && blank != "\r\n") {
      refuse("something stands behind its last boundary");
    }
  }
  void read_head(FormPart& part) {
    bool is_disposed = false;
    std::size_t size = 0;
    for (;;) {
      const auto end = rest_.substr(0, limits_.head_bytes - size).find("\r\n");
      if (end == std::string_view::npos) {
        refuse("a part's header has no end, or is too long");
      }
      const auto line = rest_.substr(0, end);
      rest_.remove_prefix(end + 2);
      size += end + 2;
      if (line.empty()) break;
      read_header(line, part, is_disposed);
    }
    if (!is_disposed) refuse("a part has no Content-Disposition");
  }

  std::string delimiter_;
  std::string_view rest_;
  const FormLimits& limits_;
};

}  // namespace

bool is_form(std::string_view content_type) {
  const auto end = std::min(content_type.find(';'), content_type.size());
  return same_word(trimmed(content_type.substr(0, end)), "multipart/form-data");
}

std::vector<FormPart> parse_form(std::string_view content_type,
                                 std::string_view body,
                                 const FormLimits& limits) {
  if (!is_form(content_type)) {
    throw http_error(415, "the Content-Type is not multipart/form-data");
  }
  Reader reader(boundary_of(content_type), body, limits);
  std::vector<FormPart> parts;
  for (FormPart part; reader.next(part); part = {}) {
    if (parts.size() == limits.parts) {
      refuse(str("it has more than ", limits.parts, " parts"));
    }
    parts.push_back(std::move(part));
  }
  if (parts.empty()) refuse("it has no parts");
  return parts;
}

}  // namespace penstock::serve
