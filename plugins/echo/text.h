// echo.text: token ids that are bytes, as text.
#pragma once

#include "penstock/postprocess.h"

namespace penstock::echo {

/// Input: tokens i64[N]. Output: text, as it comes; ids that are no byte say
/// nothing, and what is no UTF-8 becomes U+FFFD. Of several items each later
/// one begins a line.
class Text final : public Postprocess {
 public:
  struct Params {};
  static void declare(Declaration<Text>& d);
  explicit Text(const Params& /*params*/) {}

  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;
};

}  // namespace penstock::echo
