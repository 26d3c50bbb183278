// image.fit: a decoded picture, as a frame of a film, to the pixels a model
// sees.
#pragma once

#include "image/recipe_params.h"
#include "penstock/preprocess.h"

namespace penstock::image {

/// Input: picture u8[H,W,3] in rgb. Output: pixels f32[C,H,W], as image.load
/// makes them of a file; with `thumbnail: N` also thumbnail u8[N,N,3], the
/// picture made small, with black borders, for those who draw it. Note:
/// `seen`, as image.load has it. `picture` itself is not handed on.
class Fit final : public Preprocess {
 public:
  struct Params : RecipeParams {
    std::int64_t thumbnail = 0;
  };
  static void declare(Declaration<Fit>& d);
  explicit Fit(const Params& params);

  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  Recipe recipe_, thumbnail_;
  KeptMemory memory_;
};

}  // namespace penstock::image
