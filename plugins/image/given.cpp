#include "image/given.h"

#include <sstream>

#include "penstock/error.h"

namespace penstock::image {
namespace {

bool is_picture(const at::Tensor& given) {
  if (given.scalar_type() != at::kByte || given.numel() == 0) return false;
  if (given.dim() == 2) return true;
  const std::int64_t channels = given.dim() == 3 ? given.size(2) : 0;
  return channels == 1 || channels == 3 || channels == 4;
}

std::string shape_of(const at::Tensor& given) {
  std::ostringstream out;
  out << given.dtype().name() << " " << given.sizes();
  return out.str();
}

}  // namespace

std::optional<at::Tensor> given_pixels(const Request& request,
                                       const std::string& name,
                                       std::int64_t max_pixels) {
  const auto found = request.inputs.find(name);
  if (found == request.inputs.end()) return std::nullopt;
  const auto* tensors = std::get_if<Tensors>(&found->second);
  if (tensors == nullptr) return std::nullopt;
  const at::Tensor* given = find(*tensors, name);
  if (given == nullptr || !is_picture(*given)) {
    throw Error(
        Code::kData,
        str("input '", name, "': expected pixels of 8 bits, [height, ",
            "width, 3] in rgb, with 4 channels in rgba, or grey; not ",
            given == nullptr ? "a tensor of another name" : shape_of(*given)));
  }
  if (given->size(0) > max_pixels / given->size(1)) {
    throw Error(Code::kData, str("input '", name, "' has ", given->size(0),
                                 " x ", given->size(1), " pixels; at most ",
                                 max_pixels, " are read (max_pixels)"));
  }
  const at::Tensor pixels = given->contiguous();
  const bool is_grey = pixels.dim() == 2 || pixels.size(2) == 1;
  if (!is_grey) return pixels;
  return pixels.reshape({pixels.size(0), pixels.size(1), 1})
      .expand({-1, -1, 3})
      .contiguous();
}

}  // namespace penstock::image
