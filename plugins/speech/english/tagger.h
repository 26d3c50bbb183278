// Which part of speech a word is: an averaged perceptron over a word, its ends
// and its neighbours. "read" and "live" sound as what they are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "penstock/json.h"
#include "speech/english/token.h"

namespace penstock::speech {

/// Any thread.
class Tagger {
 public:
  /// The weights of a file; throws Error(kData) naming the place.
  explicit Tagger(const JsonView& view);

  /// Sets each token's tag; they are a sentence, or a part of one.
  void tag(std::vector<Token>& tokens) const;

 private:
  using Weights = std::vector<std::pair<std::uint16_t, float>>;  ///< by tag

  void read_weights(const JsonView& view);
  [[nodiscard]] std::string known_form(const std::u32string& word) const;
  [[nodiscard]] std::size_t best(
      const std::vector<std::string>& features) const;

  std::vector<std::string> tags_;
  std::unordered_map<std::string, std::size_t> frequent_;  ///< one tag each
  std::unordered_set<std::string> vocabulary_;
  std::unordered_map<std::string, Weights> weights_;
};

}  // namespace penstock::speech
