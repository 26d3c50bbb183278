#include "core/mask.h"

#include <ATen/ops/argmax.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/max.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "core/each_item.h"
#include "lib/pictures/placement.h"
#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "penstock/tensor_names.h"

namespace penstock::core {
namespace {

constexpr std::int64_t kMostClasses = 256;
/// The largest number of each item: of one class its best score.
constexpr const char* kBest = "best";
constexpr const char* kHighest = "highest";

/// For each place of the picture's side the pixel that shows it; -1: none does.
template <class PixelOf>
std::vector<std::int64_t> pixels_of(std::int64_t side, std::int64_t pixels,
                                    const PixelOf& pixel_of) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(side));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double at = std::floor(pixel_of(static_cast<double>(i) + 0.5));
    const bool is_seen = at >= 0 && at < static_cast<double>(pixels);
    out[i] = is_seen ? static_cast<std::int64_t>(at) : -1;
  }
  return out;
}

/// The nearest pixel's class for each place of the picture.
at::Tensor in_picture(const at::Tensor& mask,
                      const pictures::Placement& placement) {
  const auto across = pixels_of(placement.width(), mask.size(1),
                                [&](double x) { return placement.pixel_x(x); });
  const auto down = pixels_of(placement.height(), mask.size(0),
                              [&](double y) { return placement.pixel_y(y); });
  auto out = at::zeros({placement.height(), placement.width()}, at::kByte);
  auto* to = out.mutable_data_ptr<std::uint8_t>();
  for (const std::int64_t y : down) {
    const auto* const row =
        mask.const_data_ptr<std::uint8_t>() + (y < 0 ? 0 : y * mask.size(1));
    for (const std::int64_t x : across) {
      if (y >= 0 && x >= 0) *to = row[x];
      ++to;
    }
  }
  return out;
}

}  // namespace

void Mask::declare(Declaration<Mask>& d) {
  d.doc("What each pixel of a picture is, the best class of each")
      .input("logits: f32[B,K,H,W]")
      .output("mask: u8[H,W]")
      .uses(kSeen, kWidth, kHeight)
      .makes(kBestScore)
      .light();
  d.param("activation", &Params::activation,
          "of models with one class: how a number becomes its score; none: it "
          "is one")
      .choices({"none", "sigmoid"});
  d.param("threshold", &Params::threshold,
          "of models with one class: least score of a pixel of it")
      .range(0, 1);
}

Result Mask::pick(const Step& /*step*/, Result result) {
  const at::Tensor& logits = get(result.out, tensors::kLogits);
  const std::int64_t classes = logits.size(1);
  if (classes < 1 || classes > kMostClasses) {
    throw Error(Code::kData, str("the model has ", classes,
                                 " classes, expected 1 to ", kMostClasses));
  }
  if (logits.size(2) == 0 || logits.size(3) == 0) {
    throw ForwardFault("the model's answer has no pixels");
  }
  const bool is_one = classes == 1;
  at::Tensor scores = is_one ? logits.select(1, 0) : logits;
  if (is_one && params_.activation == "sigmoid") scores = scores.sigmoid();
  const auto mask = is_one ? scores.ge(params_.threshold) : scores.argmax(1);
  Result out;
  out.out = {
      {tensors::kMask, mask.to(at::kByte)},
      {is_one ? kBest : kHighest, std::get<0>(scores.flatten(1).max(1))}};
  return out;
}

void Mask::decode(const Step& step, const Result& picked,
                  std::vector<Next>& out) {
  const SerialOps serial;
  const auto masks = get(picked.out, tensors::kMask).cpu().contiguous();
  const at::Tensor* best = find(picked.out, kBest);
  const auto highest =
      (best != nullptr ? *best : get(picked.out, kHighest)).cpu();
  each_item(step, out, [&](std::int64_t row, const Item& item) {
    const double score = highest[row].item<double>();
    if (!std::isfinite(score)) {
      throw ForwardFault("the model's scores are not finite");
    }
    const auto placement = pictures::Placement::of(item.notes);
    const at::Tensor mask =
        placement ? in_picture(masks[row], *placement) : masks[row].clone();
    Decoded made;
    made.tensors = {{tensors::kMask, mask}};
    if (best != nullptr && mask.max().item<int>() == 0) {
      set(made.notes, kBestScore, score);
    }
    return made;
  });
}

}  // namespace penstock::core
