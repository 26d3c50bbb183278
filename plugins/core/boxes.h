// core.boxes: where things are in a picture and what they are, from what a
// detector gives of every place it looked at.
#pragma once

#include <string>
#include <vector>

#include "core/nms.h"
#include "core/raw_boxes.h"
#include "penstock/decode.h"

namespace penstock::core {

/// Input: f32[B,N,4 or more] boxes and f32[B,N,K] or [B,N] scores, each in one
/// tensor or in several one behind the other, or both in one tensor. Output:
/// boxes f32[M,4] as left, top, right, bottom in pixels of the upright picture,
/// or of the model where no stage noted where those come from; classes i64[M]
/// and scores f32[M], best first; note `best_score` where M is 0.
class Boxes final : public Decode {
 public:
  struct Params {
    std::vector<std::string> boxes = {"boxes"};
    std::vector<std::string> scores = {"scores"};
    std::string classes;
    std::string form = "xyxy";
    std::string units = "pixels";
    std::vector<std::int64_t> strides, per_cell, size;
    bool transposed = false;
    bool objectness = false;
    std::string activation = "none";
    std::string background = "none";
    double threshold = 0.25;
    double overlap = 0.5;
    bool by_class = true;
    bool mean = false;
    std::int64_t max = 100;
  };
  static void declare(Declaration<Boxes>& d);
  static Ports describe(const Params& params);
  explicit Boxes(const Params& params);

  [[nodiscard]] Result pick(const Step& step, Result result) override;
  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;

 private:
  [[nodiscard]] at::Tensor joined(const Result& result,
                                  const std::vector<std::string>& names) const;
  /// [B,N,K] as probabilities, without the background.
  [[nodiscard]] at::Tensor probabilities(at::Tensor scores) const;
  [[nodiscard]] PixelSize pixel_size(const Step& step) const;
  [[nodiscard]] Decoded boxes_of(const Tensors& row, const Item& item,
                                 const PixelSize& size) const;

  Params params_;
  BoxForm form_;
};

}  // namespace penstock::core
