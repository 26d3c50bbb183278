#include "gemma/jinja/lexer.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

constexpr std::array<std::string_view, 27> kOperators{
    "//", "**", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">",
    "=",  "(",  ")",  "[",  "]",  "{",  "}", ",", ".", ":", "|", ";", "!"};

bool is_name_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

/// UTF-8 of a \u escape.
std::string utf8(unsigned code) {
  std::string out;
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    out += static_cast<char>(0x80U | (code & 63U));
  } else {
    out += static_cast<char>(0xE0U | (code >> 12U));
    out += static_cast<char>(0x80U | ((code >> 6U) & 63U));
    out += static_cast<char>(0x80U | (code & 63U));
  }
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {
    // As jinja2: one newline at the end does not count.
    if (!source_.empty() && source_.back() == '\n') source_.remove_suffix(1);
  }

  std::vector<Token> run() {
    while (at_ < source_.size()) data();
    add(TokenKind::kEnd, "");
    return std::move(out_);
  }

 private:
  void add(TokenKind kind, std::string text) {
    out_.push_back({kind, std::move(text), line_});
  }
  void advance(std::size_t to) {
    line_ += static_cast<int>(
        std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                   source_.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
    at_ = to;
  }
  [[nodiscard]] bool is_next(std::string_view word) const {
    return source_.substr(at_, word.size()) == word;
  }
  [[nodiscard]] std::size_t find_tag() const {
    for (std::size_t i = at_; i + 1 < source_.size(); ++i) {
      const char next = source_[i + 1];
      if (source_[i] == '{' && (next == '{' || next == '%' || next == '#')) {
        return i;
      }
    }
    return source_.size();
  }

  /// Text up to the next tag, then the tag.
  void data() {
    const std::size_t tag = find_tag();
    std::string text(source_.substr(at_, tag - at_));
    const bool is_tag = tag < source_.size();
    const char sign = tag + 2 < source_.size() ? source_[tag + 2] : ' ';
    if (is_tag && sign == '-') {
      while (!text.empty() && is_space(text.back())) text.pop_back();
    } else if (is_tag && source_[tag + 1] != '{' && sign != '+') {
      strip_line(text);
    }
    if (!text.empty()) add(TokenKind::kData, text);
    advance(tag);
    if (!is_tag) return;
    const char what = source_[at_ + 1];
    advance(at_ + 2);
    if (at_ < source_.size() && (source_[at_] == '-' || source_[at_] == '+')) {
      advance(at_ + 1);
    }
    if (what == '#') {
      comment();
    } else if (what == '%') {
      block();
    } else {
      add(TokenKind::kBeginOutput, "{{");
      code("}}", TokenKind::kEndOutput);
    }
  }

  /// lstrip_blocks: spaces before a block that begins its line go.
  void strip_line(std::string& text) const {
    const auto end = text.find_last_not_of(" \t");
    const bool is_start = end == std::string::npos
                              ? (at_ == 0 || source_[at_ - 1] == '\n')
                              : text[end] == '\n';
    if (is_start) text.resize(end == std::string::npos ? 0 : end + 1);
  }

  /// What `-` at the end of a tag, or trim_blocks, takes away after it.
  void after_tag(bool is_stripped, bool is_block) {
    if (is_stripped) {
      std::size_t to = at_;
      while (to < source_.size() && is_space(source_[to])) ++to;
      advance(to);
    } else if (is_block && is_next("\n")) {
      advance(at_ + 1);
    }
  }

  void comment() {
    const auto end = source_.find("#}", at_);
    if (end == std::string_view::npos) fail_at(line_, "a comment has no end");
    const bool is_stripped = source_[end - 1] == '-';
    advance(end + 2);
    after_tag(is_stripped, true);
  }

  void block() {
    std::size_t name = at_;
    while (name < source_.size() && is_space(source_[name])) ++name;
    if (source_.substr(name, 3) == "raw" && raw(name + 3)) return;
    add(TokenKind::kBeginBlock, "{%");
    code("%}", TokenKind::kEndBlock);
  }

  /// {% raw %} ... {% endraw %}.
  bool raw(std::size_t at) {
    while (at < source_.size() && is_space(source_[at])) ++at;
    if (source_.substr(at, 2) != "%}") return false;
    const auto from = at + 2;
    for (auto tag = source_.find("{%", from); tag != source_.npos;
         tag = source_.find("{%", tag + 2)) {
      auto word = tag + 2;
      while (word < source_.size() && is_space(source_[word])) ++word;
      if (source_.substr(word, 6) != "endraw") continue;
      const auto end = source_.find("%}", word);
      if (end == source_.npos) break;
      add(TokenKind::kData, std::string(source_.substr(from, tag - from)));
      advance(end + 2);
      after_tag(source_[end - 1] == '-', /*is_block=*/true);
      return true;
    }
    fail_at(line_, "{% raw %} has no {% endraw %}");
  }

  /// Tokens of an expression, to the end of its tag.
  void code(std::string_view end, TokenKind end_kind) {
    int depth = 0;  // of braces: {{ {"a": {}}}} ends with the last two
    while (at_ < source_.size()) {
      if (is_space(source_[at_])) {
        advance(at_ + 1);
        continue;
      }
      const bool is_sign = source_[at_] == '-' || source_[at_] == '+';
      if (depth == 0 &&
          (is_next(end) || (is_sign && source_.substr(at_ + 1, 2) == end))) {
        const bool is_stripped = source_[at_] == '-';
        advance(at_ + (is_sign ? 3 : 2));
        add(end_kind, std::string(end));
        after_tag(is_stripped, end == "%}");
        return;
      }
      token(depth);
    }
    fail_at(line_, "a tag has no end; expected " + std::string(end));
  }

  void token(int& depth) {
    const char c = source_[at_];
    std::size_t end = at_;
    if (is_name_start(c)) {
      while (end < source_.size() &&
             (is_name_start(source_[end]) || is_digit(source_[end]))) {
        ++end;
      }
      add(TokenKind::kName, std::string(source_.substr(at_, end - at_)));
      advance(end);
    } else if (is_digit(c)) {
      number();
    } else if (c == '"' || c == '\'') {
      string(c);
    } else {
      const auto* const found =
          std::find_if(kOperators.begin(), kOperators.end(),
                       [&](std::string_view word) { return is_next(word); });
      if (found == kOperators.end()) {
        fail_at(line_, str("does not understand '", c, "'"));
      }
      depth += static_cast<int>(c == '{') - static_cast<int>(c == '}');
      add(TokenKind::kOperator, std::string(*found));
      advance(at_ + found->size());
    }
  }

  void number() {
    std::size_t end = at_;
    bool is_real = false;
    const auto digits = [&] {
      while (end < source_.size() && is_digit(source_[end])) ++end;
    };
    digits();
    if (end + 1 < source_.size() && source_[end] == '.' &&
        is_digit(source_[end + 1])) {
      is_real = true;
      ++end;
      digits();
    }
    if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
      const std::size_t at = end;
      ++end;
      end += static_cast<std::size_t>(
          end < source_.size() && (source_[end] == '-' || source_[end] == '+'));
      const std::size_t from = end;
      digits();
      if (end == from) end = at;  // a name follows
      is_real |= end > from;
    }
    add(is_real ? TokenKind::kReal : TokenKind::kInteger,
        std::string(source_.substr(at_, end - at_)));
    advance(end);
  }

  void string(char quote) {
    std::string text;
    std::size_t i = at_ + 1;
    for (; i < source_.size() && source_[i] != quote; ++i) {
      if (source_[i] != '\\' || i + 1 == source_.size()) {
        text += source_[i];
        continue;
      }
      ++i;
      escape(i, text);
    }
    if (i >= source_.size()) fail_at(line_, "a text has no closing quote");
    add(TokenKind::kString, text);
    advance(i + 1);
  }

  /// What stands after a backslash; leaves `i` at its last byte.
  void escape(std::size_t& i, std::string& text) const {
    const char c = source_[i];
    constexpr std::string_view kFrom = "nrtbf0\\'\"";
    constexpr std::string_view kTo("\n\r\t\b\f\0\\'\"", 9);
    if (const auto known = kFrom.find(c); known != kFrom.npos) {
      text += kTo[known];
    } else if (c == 'u' || c == 'x') {
      const std::size_t count = c == 'u' ? 4 : 2;
      const std::string digits(source_.substr(i + 1, count));
      if (digits.size() != count ||
          !std::all_of(digits.begin(), digits.end(), [](unsigned char digit) {
            return std::isxdigit(digit) != 0;
          })) {
        fail_at(line_, "an escape needs hexadecimal digits");
      }
      text += utf8(static_cast<unsigned>(std::stoul(digits, nullptr, 16)));
      i += count;
    } else {
      text += '\\';
      text += c;
    }
  }

  std::string_view source_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::vector<Token> out_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) {
  return Lexer(source).run();
}

LineError::LineError(int line, const std::string& problem)
    : Error(Code::kData, str("chat template, line ", line, ": ", problem)) {}

void fail_at(int line, const std::string& problem) {
  throw LineError(line, problem);
}

}  // namespace penstock::gemma::jinja
