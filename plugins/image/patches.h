// image.patches: pixels to the patches of a vision transformer.
#pragma once

#include "penstock/preprocess.h"

namespace penstock::image {

/// Input: pixels f32[C,H,W]. Output: patches f32[N,D], row by row; N = H/size *
/// W/size, D = C * size * size, a patch as [C, size, size].
class Patches final : public Preprocess {
 public:
  struct Params {
    std::int64_t size = 16;
  };
  static void declare(Declaration<Patches>& d);
  explicit Patches(const Params& params) : size_(params.size) {}

  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  std::int64_t size_;
};

}  // namespace penstock::image
