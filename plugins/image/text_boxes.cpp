#include "image/text_boxes.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/max.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "lib/pictures/placement.h"
#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "penstock/tensor_names.h"

namespace penstock::image {
namespace {

constexpr const char* kMap = "map";
constexpr float kLeastLine = 3;  ///< longer sides are text, in pixels

/// Whole pixels of the picture, as rapidocr rounds and cuts them.
void lay_into(TextLine& line, const pictures::Placement& placement) {
  const auto whole = [](double at, std::int64_t size) {
    const auto most = static_cast<double>(size - 1);
    return static_cast<float>(std::clamp(std::nearbyint(at), 0.0, most));
  };
  for (std::size_t i = 0; i < line.corners.size(); i += 2) {
    float& x = line.corners.at(i);
    float& y = line.corners.at(i + 1);
    x = whole(placement.x(x), placement.width());
    y = whole(placement.y(y), placement.height());
  }
}

bool is_large(const TextLine& line) {
  const auto& c = line.corners;
  const auto side = [&](std::size_t a, std::size_t b) {
    return std::floor(std::hypot(c.at(a) - c.at(b), c.at(a + 1) - c.at(b + 1)));
  };
  return side(0, 2) > kLeastLine && side(0, 6) > kLeastLine;
}

Tensors tensors_of(const std::vector<TextLine>& lines) {
  const auto count = static_cast<std::int64_t>(lines.size());
  const auto corners = at::empty({count, 8}, at::kFloat);
  const auto boxes = at::empty({count, 4}, at::kFloat);
  const auto scores = at::empty({count}, at::kFloat);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& c = lines[i].corners;
    std::copy(c.begin(), c.end(), corners.mutable_data_ptr<float>() + 8 * i);
    const auto [left, right] = std::minmax({c[0], c[2], c[4], c[6]});
    const auto [top, bottom] = std::minmax({c[1], c[3], c[5], c[7]});
    auto* const box = boxes.mutable_data_ptr<float>() + 4 * i;
    box[0] = left;
    box[1] = top;
    box[2] = right;
    box[3] = bottom;
    scores.mutable_data_ptr<float>()[i] = static_cast<float>(lines[i].score);
  }
  return {{tensors::kBoxes, boxes},
          {tensors::kCorners, corners},
          {tensors::kClasses, at::zeros({count}, at::kLong)},
          {tensors::kClassScores, scores}};
}

}  // namespace

void TextBoxes::declare(Declaration<TextBoxes>& d) {
  using P = Params;
  d.doc("Lines of text in a picture, from a map of how likely each pixel is it")
      .input("map: f32[B,1,H,W]")
      .output("boxes: f32[M,4]")
      .output("corners: f32[M,8]")
      .output("classes: i64[M]")
      .output("scores: f32[M]")
      .uses(kSeen, kWidth, kHeight)
      .makes(kBestScore)
      .light();
  d.param("threshold", &P::threshold, "from which on a pixel is text")
      .range(0, 1)
      .per_request();
  d.param("box_threshold", &P::box_threshold,
          "from which on a line is, by the mean of its pixels")
      .range(0, 1)
      .per_request();
  d.param("unclip", &P::unclip,
          "how much larger a line is than its likely pixels: its area divided "
          "by its perimeter, so many times on each side")
      .range(0, 10)
      .per_request();
  d.param("dilate", &P::dilate, "pixels beside likely ones join them");
  d.param("max", &P::max, "most blots of likely pixels that are looked at")
      .range(1, 100'000);
}

Decoded TextBoxes::lines_of(const at::Tensor& map, const Item& item) const {
  if (!map.isfinite().all().item<bool>()) {
    throw ForwardFault("the model's map is not finite");
  }
  const auto& chosen = params<Params>(*this, *item.request);
  std::vector<TextLine> lines =
      text_lines(map, {.threshold = chosen.threshold,
                       .box_threshold = chosen.box_threshold,
                       .unclip = chosen.unclip,
                       .dilate = chosen.dilate,
                       .max = chosen.max});
  if (const auto placement = pictures::Placement::of(item.notes)) {
    for (TextLine& line : lines) lay_into(line, *placement);
  }
  std::erase_if(lines, [](const TextLine& line) { return !is_large(line); });
  sort_lines(lines);
  Decoded made;
  made.tensors = tensors_of(lines);
  if (lines.empty()) {
    set(made.notes, kBestScore,
        map.numel() > 0 ? double{map.max().item<float>()} : 0);
  }
  return made;
}

void TextBoxes::decode(const Step& step, const Result& picked,
                       std::vector<Next>& out) {
  const SerialOps serial;
  const auto maps = get(picked.out, kMap).cpu();
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    Next& next = out.emplace_back();
    next.slice = i;
    next.finish = Finish::kEnd;
    try {
      next.emit.push_back(lines_of(maps[static_cast<std::int64_t>(i)][0],
                                   *step.slices[i].sequence->item));
    } catch (const Error&) {
      next.error = std::current_exception();
    }
  }
}

}  // namespace penstock::image
