// core.text: the text that was found in each item, a line an item.
#pragma once

#include "penstock/postprocess.h"

namespace penstock::core {

/// Input: note `text` of what decode made, else of the item. Output: that text;
/// with several items each begins a line. Where decode scored it also JSON
/// {"texts": [{"text", "score"}]}, with "best_score" where it found none.
class Text final : public Postprocess {
 public:
  struct Params {};
  static void declare(Declaration<Text>& d);
  explicit Text(const Params& /*params*/) {}

  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;
};

}  // namespace penstock::core
