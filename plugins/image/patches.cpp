#include "image/patches.h"

#include <utility>

namespace penstock::image {

void Patches::declare(Declaration<Patches>& d) {
  d.doc("Pixels to the square patches of a vision transformer")
      .input("pixels: f32[C,H,W]")
      .output("patches: f32[N,D]")
      .light();
  d.param("size", &Params::size, "side of a patch in pixels").range(1, 1024);
}

void Patches::preprocess(const Request& /*request*/, Item in,
                         ItemSink& out) const {
  const at::Tensor pixels = get(in.inputs, "pixels");
  const std::int64_t height = pixels.size(1);
  const std::int64_t width = pixels.size(2);
  if (height % size_ != 0 || width % size_ != 0) {
    throw Error(Code::kData, str("pixels of ", height, "x", width,
                                 " are no whole patches of ", size_,
                                 "; resize to a multiple of it"));
  }
  const std::int64_t channels = pixels.size(0);
  const auto patches =
      pixels.reshape({channels, height / size_, size_, width / size_, size_})
          .permute({1, 3, 0, 2, 4})
          .reshape({-1, channels * size_ * size_})
          .contiguous();
  in.inputs.emplace_back("patches", patches);
  out.push(std::move(in));
}

}  // namespace penstock::image
