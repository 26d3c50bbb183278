// my_plugin.my_postprocess: what does a person get?
#pragma once

#include <memory>

#include "penstock/postprocess.h"

namespace my_plugin {

/// Writes token ids as numbers, as they come.
class MyPostprocessStage final : public penstock::Postprocess {
 public:
  struct Params {};
  static void declare(penstock::Declaration<MyPostprocessStage>& d);
  explicit MyPostprocessStage(const Params& /*params*/) {}

  /// One Writer for each request; it keeps what belongs to that one.
  [[nodiscard]] std::unique_ptr<penstock::Writer> begin(
      const penstock::Request& request) const override;
};

}  // namespace my_plugin
