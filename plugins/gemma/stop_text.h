// Stop strings in streamed text: what is shown never holds a part of one, so
// what may still become one is held back.
#pragma once

#include <string>
#include <vector>

namespace penstock::gemma {

class StopText {
 public:
  explicit StopText(std::vector<std::string> stops)
      : stops_(std::move(stops)) {}

  /// What may be shown now that `text` follows.
  [[nodiscard]] std::string add(const std::string& text);
  /// A stop string is whole; what add() gave ended before it.
  [[nodiscard]] bool is_found() const { return is_found_; }
  /// What was held back: the text is over.
  [[nodiscard]] std::string finish();

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool is_found_ = false;
};

}  // namespace penstock::gemma
