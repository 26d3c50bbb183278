#include "core/boxes.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/max.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "core/each_item.h"
#include "lib/pictures/placement.h"
#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "penstock/tensor_names.h"

namespace penstock::core {
namespace {

/// So many of the best are looked at: with more, every pair would be compared
/// for longer than anybody waits.
constexpr std::size_t kMostCandidates = 30'000;
constexpr const char* kKinds = "kinds";
constexpr std::array kOutputs = {"boxes: f32[M,4]", "classes: i64[M]",
                                 "scores: f32[M]"};

std::string conflict(const Boxes::Params& params) {
  const bool is_grid = params.form == "anchors" || params.form == "dfl";
  if (params.boxes.empty()) return "boxes names no tensor";
  if (is_grid == params.strides.empty()) {
    return is_grid ? "form: " + params.form +
                         " needs the strides of its grids, such as [8, 16]"
                   : "strides belong to form: anchors and form: dfl";
  }
  if (params.per_cell.size() > params.strides.size()) {
    return "per_cell has more numbers than strides";
  }
  if (params.size.size() > 2) return "size is one side or [height, width]";
  if (params.objectness && !params.scores.empty()) {
    return "objectness is a column beside the scores of the same tensor; set "
           "scores: [] as well";
  }
  return "";
}

void declare_form(Declaration<Boxes>& d) {
  using P = Boxes::Params;
  d.param("boxes", &P::boxes,
          "the model's tensors with the boxes, by the names that forward gives "
          "them; of several one is behind the other");
  d.param("scores", &P::scores,
          "those with the scores; [], where they stand behind the boxes in the "
          "same tensor");
  d.param("classes", &P::classes,
          "of models that give one score a box: the tensor with its class; "
          "empty: none");
  d.param("form", &P::form,
          "a box's numbers: corners xyxy or yxyx, left and top and size xywh, "
          "centre and size cxcywh; anchors: the latter as offsets from a cell; "
          "dfl: distributions of the distances from a cell")
      .choices({"xyxy", "yxyx", "xywh", "cxcywh", "anchors", "dfl"});
  d.param("units", &P::units,
          "pixels of the model, or relative: shares of their number")
      .choices({"pixels", "relative"});
  d.param("strides", &P::strides,
          "of anchors and dfl: the side of a cell in pixels, for each grid")
      .range(1, 8192);
  d.param("per_cell", &P::per_cell,
          "of anchors: boxes of a cell, for each grid; none: 1")
      .range(1, 1024);
  d.param("size", &P::size,
          "[height, width] of the model's pixels, or one number for both; "
          "none: as the input `pixels` is")
      .range(1, 65535);
  d.param("transposed", &P::transposed,
          "the tensors are [numbers, boxes], not [boxes, numbers]");
  d.param("objectness", &P::objectness,
          "the number behind a box's four is how likely it is one, a factor of "
          "its scores");
}

}  // namespace

void Boxes::declare(Declaration<Boxes>& d) {
  using P = Params;
  // For programs that look at the stage alone; a file's are describe()'s.
  for (const char* made : kOutputs) d.output(made);
  d.doc("Boxes of a detector in pixels of the picture, the best of each thing")
      .uses(kSeen, kWidth, kHeight)
      .makes(kBestScore)
      .light();
  declare_form(d);
  d.param("activation", &P::activation,
          "how the model's numbers become scores; none: they are")
      .choices({"none", "sigmoid", "softmax"});
  d.param("background", &P::background, "which of the classes means nothing")
      .choices({"none", "first", "last"});
  d.param("threshold", &P::threshold, "least score of a box")
      .range(0, 1)
      .per_request();
  d.param("overlap", &P::overlap,
          "share of two boxes' whole area that they may have in common; beyond "
          "it the better one alone is given; 1: never")
      .range(0, 1)
      .per_request();
  d.param("by_class", &P::by_class,
          "boxes of different classes may cover each other")
      .per_request();
  d.param("mean", &P::mean,
          "a box is the mean of itself and those left out for it, each by its "
          "score, as in MediaPipe")
      .per_request();
  d.param("max", &P::max, "most boxes that are given")
      .range(1, 10'000)
      .per_request();
  d.check(conflict);
}

Ports Boxes::describe(const Params& params) {
  Ports ports;
  // What `classes` names may be of any dtype, so no port says it.
  for (const auto* names : {&params.boxes, &params.scores}) {
    for (const std::string& name : *names) {
      Port port;
      port.name = name;
      port.dtype = "f32";
      port.dims = {"B", "..."};
      ports.inputs.push_back(std::move(port));
    }
  }
  for (const char* made : kOutputs) ports.outputs.push_back(parse_port(made));
  return ports;
}

Boxes::Boxes(const Params& params)
    : params_(params),
      form_{.form = params.form,
            .is_relative = params.units == "relative",
            .strides = params.strides,
            .per_cell = params.per_cell} {}

at::Tensor Boxes::joined(const Result& result,
                         const std::vector<std::string>& names) const {
  std::vector<at::Tensor> parts;
  for (const std::string& name : names) {
    const at::Tensor& part = get(result.out, name);
    if (part.dim() != 3) {
      // One score a box.
      if (part.dim() == 2 && &names != &params_.boxes) {
        parts.push_back(part.unsqueeze(-1));
        continue;
      }
      throw Error(Code::kData, str("'", name, "' has ", part.dim(),
                                   " dims with the batch's, expected 3"));
    }
    parts.push_back(params_.transposed ? part.transpose(1, 2) : part);
  }
  return parts.size() == 1 ? parts.front() : at::cat(parts, 1);
}

at::Tensor Boxes::probabilities(at::Tensor scores) const {
  if (params_.activation == "sigmoid") scores = scores.sigmoid();
  if (params_.activation == "softmax") scores = scores.softmax(-1);
  if (params_.background == "none") return scores;
  if (scores.size(-1) < 2) {
    throw Error(Code::kData,
                "the model scores one class, and decode.background takes it "
                "away");
  }
  return scores.narrow(-1, params_.background == "first" ? 1 : 0,
                       scores.size(-1) - 1);
}

Result Boxes::pick(const Step& /*step*/, Result result) {
  const SerialOps serial;  // a reduction and little else
  at::Tensor boxes = joined(result, params_.boxes);
  at::Tensor scores;
  if (params_.scores.empty()) {
    const std::int64_t first = params_.objectness ? 5 : 4;
    if (boxes.size(2) <= first) {
      throw Error(Code::kData,
                  str("'", params_.boxes.front(), "' has ", boxes.size(2),
                      " numbers a box, expected more than ", first,
                      ": scores behind the box"));
    }
    scores = probabilities(boxes.narrow(2, first, boxes.size(2) - first));
    if (params_.objectness) scores = scores * boxes.narrow(2, 4, 1);
    boxes = boxes.narrow(2, 0, 4);
  } else {
    scores = probabilities(joined(result, params_.scores));
  }
  if (scores.size(1) != boxes.size(1)) {
    throw Error(Code::kData, str("there are ", boxes.size(1), " boxes, but ",
                                 scores.size(1), " scores"));
  }
  const auto [best, kinds] = scores.max(-1);
  Result out;
  out.out = {{tensors::kBoxes, boxes},
             {tensors::kClassScores, best},
             {kKinds, params_.classes.empty()
                          ? kinds
                          : get(result.out, params_.classes).to(at::kLong)}};
  return out;
}

PixelSize Boxes::pixel_size(const Step& step) const {
  if (!params_.size.empty()) {
    return {.width = params_.size.back(), .height = params_.size.front()};
  }
  const at::Tensor* pixels = find(step.inputs, tensors::kPixels);
  const bool is_needed = form_.is_relative || !form_.strides.empty();
  if (pixels == nullptr || pixels->dim() != 4) {
    if (!is_needed) return {};
    throw Error(Code::kData,
                "the size of the model's pixels is not known, as it has no "
                "input 'pixels'; set decode.size");
  }
  // [B,3,H,W], or with the channels last.
  const bool is_last = pixels->size(1) > 4 && pixels->size(3) <= 4;
  return {.width = pixels->size(is_last ? 2 : 3),
          .height = pixels->size(is_last ? 1 : 2)};
}

namespace {

using MaybePlacement = std::optional<pictures::Placement>;

/// The boxes of one item, on the CPU.
struct Row {
  at::Tensor scores;  ///< f32[N]
  at::Tensor kinds;   ///< i64[N]
};

/// Places of the scores that are high enough, the best of them where there are
/// too many to compare.
std::vector<std::int64_t> candidates(const at::Tensor& scores,
                                     double threshold) {
  const auto* const score = scores.const_data_ptr<float>();
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < scores.numel(); ++i) {
    if (double{score[i]} >= threshold) out.push_back(i);
  }
  if (out.size() <= kMostCandidates) return out;
  const auto end = out.begin() + kMostCandidates;
  std::nth_element(out.begin(), end, out.end(),
                   [&](std::int64_t a, std::int64_t b) {
                     return score[a] != score[b] ? score[a] > score[b] : a < b;
                   });
  out.erase(end, out.end());
  std::sort(out.begin(), out.end());
  return out;
}

/// Those that have an area, in the picture where it is known.
std::vector<Found> found_of(const Row& row, const RawBoxes& raw,
                            const MaybePlacement& placement, double threshold) {
  std::vector<Found> found;
  for (const std::int64_t i : candidates(row.scores, threshold)) {
    const Box box = raw.at(i);
    const bool is_number = std::isfinite(box.left) && std::isfinite(box.top) &&
                           std::isfinite(box.right) &&
                           std::isfinite(box.bottom);
    if (!is_number) throw ForwardFault("a box of the model's is not finite");
    const Box seen = placement ? placement->in_picture(box) : box;
    if (seen.right <= seen.left || seen.bottom <= seen.top) continue;
    found.push_back({.box = box,
                     .score = row.scores.const_data_ptr<float>()[i],
                     .kind = row.kinds.const_data_ptr<std::int64_t>()[i]});
  }
  return found;
}

Decoded decoded_of(const std::vector<Found>& found,
                   const MaybePlacement& placement, const at::Tensor& scores) {
  const auto count = static_cast<std::int64_t>(found.size());
  const auto boxes = at::empty({count, 4}, at::kFloat);
  const auto kinds = at::empty({count}, at::kLong);
  const auto best = at::empty({count}, at::kFloat);
  auto* corner = boxes.mutable_data_ptr<float>();
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Box box =
        placement ? placement->in_picture(found[i].box) : found[i].box;
    for (const float each : {box.left, box.top, box.right, box.bottom}) {
      *corner++ = each;
    }
    kinds.mutable_data_ptr<std::int64_t>()[i] = found[i].kind;
    best.mutable_data_ptr<float>()[i] = found[i].score;
  }
  Decoded made;
  made.tensors = {{tensors::kBoxes, boxes},
                  {tensors::kClasses, kinds},
                  {tensors::kClassScores, best}};
  if (found.empty()) {
    set(made.notes, kBestScore,
        scores.numel() > 0 ? double{scores.max().item<float>()} : 0);
  }
  return made;
}

}  // namespace

Decoded Boxes::boxes_of(const Tensors& row, const Item& item,
                        const PixelSize& size) const {
  const Row here{.scores = get(row, tensors::kClassScores).contiguous(),
                 .kinds = get(row, kKinds).contiguous()};
  if (!here.scores.isfinite().all().item<bool>()) {
    throw ForwardFault("the model's scores are not finite");
  }
  const auto& chosen = params<Params>(*this, *item.request);
  const RawBoxes raw(get(row, tensors::kBoxes), params_.boxes.front(), form_,
                     size);
  const auto placement = pictures::Placement::of(item.notes);
  const auto kept = best_boxes(found_of(here, raw, placement, chosen.threshold),
                               {.overlap = chosen.overlap,
                                .by_class = chosen.by_class,
                                .max = chosen.max,
                                .mean = chosen.mean});
  return decoded_of(kept, placement, here.scores);
}

void Boxes::decode(const Step& step, const Result& picked,
                   std::vector<Next>& out) {
  const SerialOps serial;
  Tensors here;
  for (const auto& [name, tensor] : picked.out) {
    here.emplace_back(name, tensor.cpu());
  }
  const PixelSize size = pixel_size(step);
  each_item(step, out, [&](std::int64_t i, const Item& item) {
    Tensors row;
    for (const auto& [name, tensor] : here) row.emplace_back(name, tensor[i]);
    return boxes_of(row, item, size);
  });
}

}  // namespace penstock::core
