// The longest token that a text begins with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::text {

/// Tokens in the order of their bytes. Const after sort(): any thread.
class TokenTable {
 public:
  struct Match {
    std::int64_t id = -1;  ///< -1: none
    std::size_t size = 0;  ///< bytes
  };

  /// One that is not empty.
  void add(std::string text, std::int64_t id);
  /// Once, before it is asked. Gives the text of two tokens that are alike, or
  /// "".
  [[nodiscard]] std::string sort();
  [[nodiscard]] Match longest(std::string_view text) const;
  /// The whole text as a token; -1: it is none.
  [[nodiscard]] std::int64_t id_of(std::string_view text) const;
  [[nodiscard]] bool is_empty() const { return tokens_.empty(); }

 private:
  struct Token {
    std::string text;
    std::int64_t id = 0;
  };
  std::vector<Token> tokens_;
};

}  // namespace penstock::text
