// A template's source as tokens, with the white space rules that chat templates
// are written for: trim_blocks and lstrip_blocks are on, `-` strips.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "penstock/error.h"

namespace penstock::gemma::jinja {

enum class TokenKind {
  kData,        ///< text between tags
  kBeginBlock,  ///< {%
  kEndBlock,
  kBeginOutput,  ///< {{
  kEndOutput,
  kName,
  kString,
  kInteger,
  kReal,
  kOperator,  ///< the longest that fits: == // ** ( ...
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  int line = 1;
};

/// Throws Error(kData) naming the line.
[[nodiscard]] std::vector<Token> tokenize(std::string_view source);

/// An Error(kData) that names its line.
class LineError final : public Error {
 public:
  LineError(int line, const std::string& problem);
};

/// Throws a LineError: "chat template, line N: " and `problem`.
[[noreturn]] void fail_at(int line, const std::string& problem);

}  // namespace penstock::gemma::jinja
