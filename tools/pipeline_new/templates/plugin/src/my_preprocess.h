// my_plugin.my_preprocess: what does the model see of one input?
#pragma once

#include <string>

#include "penstock/preprocess.h"

namespace my_plugin {

/// Puts a text in front of the request's. The result is the note kText, which
/// the next stage of the list reads with text_of().
class MyPreprocessStage final : public penstock::Preprocess {
 public:
  struct Params {
    std::string prefix = "> ";
  };
  static void declare(penstock::Declaration<MyPreprocessStage>& d);
  explicit MyPreprocessStage(const Params& /*params*/) {}

  /// Called by several threads at once: what belongs to a request lives on the
  /// stack.
  void preprocess(const penstock::Request& request, penstock::Item in,
                  penstock::ItemSink& out) const override;
};

}  // namespace my_plugin
