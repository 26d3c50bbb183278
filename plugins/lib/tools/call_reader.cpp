#include "lib/tools/call_reader.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "lib/tools/escaped_arguments.h"
#include "lib/tools/tool_list.h"
#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::tools {
namespace {

constexpr std::size_t kMostArguments = std::size_t{1} << 20U;
constexpr const char* kSpace = " \t\r\n";

bool is_json(const std::string& text) {
  try {
    (void)parse_json(text, "", {.bytes = kMostArguments});
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Models write line breaks and tabs into texts as they are.
std::string without_controls(const std::string& text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (code >= 0x20) {
      out += byte;
    } else {
      out += str("\\u00", code >> 4U, kHex[code & 15U]);
    }
  }
  return out;
}

std::optional<std::string> json_of(const std::string& text, Notation notation) {
  if (notation == Notation::kEscaped) return json_of_escaped(text);
  if (is_json(text)) return text;
  std::string mended = without_controls(text);
  if (mended != text && is_json(mended)) return mended;
  return std::nullopt;
}

/// How many bytes at the end of `text` begin `word`.
std::size_t begun(const std::string& text, const std::string& word) {
  std::size_t count = std::min(text.size(), word.size() - 1);
  while (text.compare(text.size() - count, count, word, 0, count) != 0) --count;
  return count;
}

/// Whether `text` begins with `word`; nothing: it may, when more comes.
std::optional<bool> begins(const std::string& text, const std::string& word) {
  const std::size_t count = std::min(text.size(), word.size());
  if (text.compare(0, count, word, 0, count) != 0) return false;
  if (text.size() < word.size()) return std::nullopt;
  return true;
}

}  // namespace

void CallReader::take(std::size_t bytes) {
  taken_ += rest_.substr(0, bytes);
  rest_.erase(0, bytes);
}

void CallReader::show(const std::string& text, Found& found) {
  space_ += text;
  if (is_behind_call_) space_.erase(0, space_.find_first_not_of(kSpace));
  const auto last = space_.find_last_not_of(kSpace);
  if (last == std::string::npos) return;
  is_behind_call_ = false;
  found.text += std::exchange(between_, {}) + space_.substr(0, last + 1);
  has_text_ = true;
  space_.erase(0, last + 1);
}

bool CallReader::read_text(Found& found) {
  const auto at = rest_.find(syntax_.open);
  if (at == std::string::npos) {
    const std::size_t shown = rest_.size() - begun(rest_, syntax_.open);
    show(rest_.substr(0, shown), found);
    rest_.erase(0, shown);
    return false;
  }
  show(rest_.substr(0, at), found);
  rest_.erase(0, at);
  take(syntax_.open.size());
  part_ = Part::kName;
  return true;
}

void CallReader::begin_arguments(Found& found) {
  call_.arguments.clear();
  end_.emplace(syntax_.notation);
  if (!in_parts_) return;
  found.parts.push_back({.is_begin = true, .name = call_.name});
  taken_.clear();
}

bool CallReader::read_name(Found& found) {
  const auto end = std::find_if_not(rest_.begin(), rest_.end(), may_be_in_name);
  const auto size = static_cast<std::size_t>(end - rest_.begin());
  if (size > kMostNameBytes) {
    part_ = Part::kText;
    return true;
  }
  if (end == rest_.end()) return false;
  const auto is_middle = begins(rest_.substr(size), syntax_.middle);
  if (!is_middle) return false;
  part_ = *is_middle && size > 0 ? Part::kArguments : Part::kText;
  if (part_ == Part::kText) return true;
  call_.name = rest_.substr(0, size);
  take(size + syntax_.middle.size());
  begin_arguments(found);
  return true;
}

void CallReader::take_arguments(std::size_t bytes, Found& found) {
  if (bytes == 0) return;
  const std::string more = rest_.substr(0, bytes);
  call_.arguments += more;
  take(bytes);
  if (!in_parts_) return;
  taken_.clear();
  if (syntax_.notation == Notation::kJson) {
    found.parts.push_back({.arguments = more});
  }
}

bool CallReader::read_arguments(Found& found) {
  for (std::size_t i = 0; i < rest_.size(); ++i) {
    const auto state = end_->add(rest_[i]);
    const bool is_long = call_.arguments.size() + i > kMostArguments;
    if (state == ArgumentsEnd::State::kWrong || is_long) {
      part_ = Part::kText;
      if (in_parts_) end_call();
      return true;
    }
    if (state != ArgumentsEnd::State::kDone) continue;
    take_arguments(i + 1, found);
    part_ = Part::kClose;
    return true;
  }
  take_arguments(rest_.size(), found);
  return false;
}

void CallReader::end_call() {
  taken_.clear();
  // Words before a call and behind it stay apart.
  if (!is_behind_call_ && has_text_) between_ = space_;
  space_.clear();
  is_behind_call_ = true;
}

bool CallReader::read_close(Found& found) {
  const auto is_there = begins(rest_, syntax_.close);
  if (!is_there) return false;
  part_ = Part::kText;
  if (!in_parts_) {
    if (!*is_there) return true;
    auto arguments = json_of(call_.arguments, syntax_.notation);
    if (!arguments) return true;
    found.calls.push_back({call_.name, *std::move(arguments)});
  } else if (syntax_.notation != Notation::kJson) {
    found.parts.push_back(
        {.arguments = json_of(call_.arguments, syntax_.notation)
                          .value_or(call_.arguments)});
  }
  if (*is_there) rest_.erase(0, syntax_.close.size());
  end_call();
  return true;
}

void CallReader::give_up(Found& found) {
  rest_.insert(0, taken_);
  taken_.clear();
  show(rest_.substr(0, syntax_.open.size()), found);
  rest_.erase(0, syntax_.open.size());
}

bool CallReader::read(Found& found) {
  switch (part_) {
    case Part::kText:
      if (!taken_.empty()) give_up(found);
      return read_text(found);
    case Part::kName:
      return read_name(found);
    case Part::kArguments:
      return read_arguments(found);
    case Part::kClose:
      return read_close(found);
  }
  return false;
}

CallReader::Found CallReader::add(const std::string& text) {
  Found found;
  rest_ += text;
  while (read(found)) {
  }
  return found;
}

CallReader::Found CallReader::finish() {
  Found found;
  if (in_parts_ && part_ == Part::kArguments &&
      syntax_.notation != Notation::kJson) {
    found.parts.push_back({.arguments = call_.arguments});  // of a call cut off
  }
  const std::string left = std::exchange(taken_, {}) + std::exchange(rest_, {});
  part_ = Part::kText;
  show(left, found);
  if (!is_behind_call_) found.text += std::exchange(space_, {});
  space_.clear();
  return found;
}

}  // namespace penstock::tools
