#include "gemma/jinja/lexer.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "gemma/jinja/text.h"
#include "gemma/jinja/utf8.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

constexpr std::array<std::string_view, 27> kOperators{
    "//", "**", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">",
    "=",  "(",  ")",  "[",  "]",  "{",  "}", ",", ".", ":", "|", ";", "!"};

bool is_name_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_blank(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

/// As jinja2: any line end is a newline, and the last one does not count.
std::string with_newlines(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    const bool is_return = source[i] == '\r';
    if (is_return && i + 1 < source.size() && source[i + 1] == '\n') continue;
    out += is_return ? '\n' : source[i];
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

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
    add_data(tag);
    if (tag == source_.size()) return;
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

  /// Text up to the tag at `tag`, less what that one strips.
  void add_data(std::size_t tag) {
    std::string text(source_.substr(at_, tag - at_));
    const bool is_tag = tag < source_.size();
    const char sign = tag + 2 < source_.size() ? source_[tag + 2] : ' ';
    if (is_tag && sign == '-') {
      text = Text(text).stripped(false, true).bytes();
    } else if (is_tag && source_[tag + 1] != '{' && sign != '+') {
      strip_line(text);
    }
    if (!text.empty()) add(TokenKind::kData, text);
    advance(tag);
  }

  /// lstrip_blocks: white space before a block that begins its line goes.
  void strip_line(std::string& text) const {
    const std::size_t line = text.rfind('\n') + 1;
    const bool is_start = line > 0 || at_ == 0 || source_[at_ - 1] == '\n';
    if (!is_start) return;
    const Text rest(text.substr(line));
    if (rest.stripped(true, true).size() == 0) text.resize(line);
  }

  void skip_space() {
    while (at_ < source_.size() && is_space(code_point(source_, at_))) {
      advance(at_ + utf8_length(source_[at_]));
    }
  }

  /// The end of a tag, with what a sign or trim_blocks takes away after it.
  void end_tag(char sign, std::size_t size, bool is_block) {
    advance(at_ + size);
    if (sign == '-') {
      skip_space();
    } else if (is_block && sign != '+' && is_next("\n")) {
      advance(at_ + 1);
    }
  }

  void comment() {
    const auto end = source_.find("#}", at_);
    if (end == std::string_view::npos) fail_at(line_, "a comment has no end");
    const char sign = end > at_ ? source_[end - 1] : ' ';
    advance(end);
    end_tag(sign, 2, /*is_block=*/true);
  }

  void block() {
    std::size_t name = at_;
    while (name < source_.size() && is_blank(source_[name])) ++name;
    if (source_.substr(name, 3) == "raw" && raw(name + 3)) return;
    add(TokenKind::kBeginBlock, "{%");
    code("%}", TokenKind::kEndBlock);
  }

  /// {% raw %} ... {% endraw %}.
  bool raw(std::size_t at) {
    while (at < source_.size() && is_blank(source_[at])) ++at;
    const bool is_stripped = source_.substr(at, 3) == "-%}";
    if (!is_stripped && source_.substr(at, 2) != "%}") return false;
    advance(at);
    end_tag(is_stripped ? '-' : ' ', is_stripped ? 3 : 2, /*is_block=*/false);
    for (auto tag = source_.find("{%", at_); tag != source_.npos;
         tag = source_.find("{%", tag + 2)) {
      auto word = tag + 2;
      if (source_[word] == '-' || source_[word] == '+') ++word;
      while (word < source_.size() && is_blank(source_[word])) ++word;
      if (source_.substr(word, 6) != "endraw") continue;
      word += 6;
      while (word < source_.size() && is_blank(source_[word])) ++word;
      const bool has_sign =
          source_.substr(word, 3) == "-%}" || source_.substr(word, 3) == "+%}";
      if (!has_sign && source_.substr(word, 2) != "%}") continue;
      add_data(tag);
      advance(word);
      end_tag(has_sign ? source_[word] : ' ', has_sign ? 3 : 2,
              /*is_block=*/true);
      return true;
    }
    fail_at(line_, "{% raw %} has no {% endraw %}");
  }

  /// Tokens of an expression, to the end of its tag.
  void code(std::string_view end, TokenKind end_kind) {
    int depth = 0;  // of braces: {{ {"a": {}}}} ends with the last two
    const bool is_block = end == "%}";
    for (;;) {
      skip_space();
      if (at_ >= source_.size()) break;
      const char c = source_[at_];
      const bool has_sign = (c == '-' || (c == '+' && is_block)) &&
                            source_.substr(at_ + 1, 2) == end;
      if (depth == 0 && (has_sign || is_next(end))) {
        add(end_kind, std::string(end));
        end_tag(has_sign ? c : ' ', has_sign ? 3 : 2, is_block);
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

  // lint: long, one grammar rule
  /// With '_' between digits, and 0x, 0o and 0b before them.
  void number() {
    std::size_t end = at_;
    bool is_real = false;
    const auto is_hex = [](char c) {
      return std::isxdigit(static_cast<unsigned char>(c)) != 0;
    };
    const auto digits = [&](auto&& is_one) {
      while (end < source_.size() &&
             (is_one(source_[end]) ||
              (source_[end] == '_' && end + 1 < source_.size() &&
               is_one(source_[end + 1])))) {
        ++end;
      }
    };
    const char letter = end + 1 < source_.size() && source_[end] == '0'
                            ? source_[end + 1]
                            : ' ';
    if (std::string_view("xXoObB").find(letter) != std::string_view::npos) {
      end += 2;
      digits(is_hex);
      return add_number(end, false);
    }
    digits(is_digit);
    // After a dot it is an index, as in items.0.1.
    if (at_ > 0 && source_[at_ - 1] == '.') return add_number(end, false);
    if (end + 1 < source_.size() && source_[end] == '.' &&
        is_digit(source_[end + 1])) {
      is_real = true;
      ++end;
      digits(is_digit);
    }
    if (end < source_.size() && (source_[end] | 32) == 'e') {
      const std::size_t at = end;
      ++end;
      end += static_cast<std::size_t>(
          end < source_.size() && (source_[end] == '-' || source_[end] == '+'));
      const std::size_t from = end;
      digits(is_digit);
      if (end == from) end = at;  // a name follows
      is_real |= end > from;
    }
    add_number(end, is_real);
  }

  void add_number(std::size_t end, bool is_real) {
    std::string digits(source_.substr(at_, end - at_));
    std::erase(digits, '_');
    add(is_real ? TokenKind::kReal : TokenKind::kInteger, std::move(digits));
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
    constexpr std::string_view kFrom = "nrtbfav\\'\"";
    constexpr std::string_view kTo = "\n\r\t\b\f\a\v\\'\"";
    if (const auto known = kFrom.find(c); known != kFrom.npos) {
      text += kTo[known];
    } else if (c == 'u' || c == 'x' || c == 'U') {
      text += hex_escape(i + 1, c == 'x' ? 2 : c == 'u' ? 4 : 8);
      i += c == 'x' ? 2 : c == 'u' ? 4 : 8;
    } else if (c >= '0' && c <= '7') {
      char32_t code = 0;
      std::size_t count = 0;
      for (; count < 3 && i + count < source_.size() &&
             source_[i + count] >= '0' && source_[i + count] <= '7';
           ++count) {
        code = code * 8 + static_cast<char32_t>(source_[i + count] - '0');
      }
      text += utf8(code);
      i += count - 1;
    } else if (c != '\n') {  // a line that goes on
      text += '\\';
      text += c;
    }
  }

  [[nodiscard]] std::string hex_escape(std::size_t at,
                                       std::size_t count) const {
    const std::string digits(source_.substr(at, count));
    if (digits.size() != count ||
        !std::all_of(digits.begin(), digits.end(), [](unsigned char digit) {
          return std::isxdigit(digit) != 0;
        })) {
      fail_at(line_, "an escape needs hexadecimal digits");
    }
    const auto code = static_cast<char32_t>(std::stoul(digits, nullptr, 16));
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
      fail_at(line_, "an escape is no character");
    }
    return utf8(code);
  }

  std::string_view source_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::vector<Token> out_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) {
  const std::string text = with_newlines(source);
  return Lexer(text).run();
}

LineError::LineError(int line, const std::string& problem)
    : Error(Code::kData, str("chat template, line ", line, ": ", problem)) {}

void fail_at(int line, const std::string& problem) {
  throw LineError(line, problem);
}

}  // namespace penstock::gemma::jinja
