#include "image/turn.h"

#include <ATen/ops/rot90.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "image/named_box.h"
#include "image/request_picture.h"
#include "lib/labels/label_file.h"
#include "penstock/tensor_names.h"

namespace penstock::image {
namespace {

constexpr std::int64_t kQuarter = 90;
constexpr std::array<const char*, 4> kAngles = {"0", "90", "180", "270"};

/// The model's labels as angles.
std::vector<std::int64_t> angles_of(const std::vector<std::string>& labels) {
  std::vector<std::int64_t> out;
  for (const std::string& label : labels) {
    std::int64_t quarters = 0;
    while (quarters < 4 &&
           label != kAngles.at(static_cast<std::size_t>(quarters))) {
      ++quarters;
    }
    if (quarters == 4) {
      throw Error(Code::kData,
                  str("the model's label '", label,
                      "' is no angle of 0, 90, 180 or 270; set "
                      "postprocess.angles to those of its classes"));
    }
    out.push_back(quarters * kQuarter);
  }
  return out;
}

class TurnWriter final : public Writer {
 public:
  TurnWriter(const Request& request, const std::vector<std::int64_t>& angles,
             double threshold)
      : request_(request), angles_(angles), threshold_(threshold) {}

  bool write(const Decoded& decoded, OutputSink& out) override {
    const std::int64_t angle = angle_of(decoded);
    const double score =
        get(decoded.tensors, tensors::kClassScores)[0].item<double>();
    const bool is_turned = angle != 0 && score >= threshold_;
    const nlohmann::ordered_json json = {
        {"angle", angle}, {"score", score}, {"is_turned", is_turned}};
    out.emit(penstock::Json{json.dump()}, decoded.branch, /*is_final=*/false);
    const at::Tensor picture = request_picture(request_);
    const at::Tensor upright =
        is_turned ? at::rot90(picture, angle / kQuarter, {0, 1}).contiguous()
                  : picture;
    out.emit(Tensors{{"image", upright}}, decoded.branch, /*is_final=*/false);
    out.emit(fixed(score, 3) + "  " + text_of(angle, is_turned), decoded.branch,
             /*is_final=*/true);
    return true;
  }
  void end(OutputSink& /*out*/) override {}

 private:
  [[nodiscard]] std::int64_t angle_of(const Decoded& decoded) const {
    const at::Tensor& classes = get(decoded.tensors, tensors::kClasses);
    if (classes.numel() == 0) {
      throw Error(Code::kData, "decode found no class; set decode.top_k to 1");
    }
    const auto best = classes[0].item<std::int64_t>();
    if (best >= 0 && best < static_cast<std::int64_t>(angles_.size())) {
      return angles_[static_cast<std::size_t>(best)];
    }
    throw Error(Code::kData, str("the model says class ", best,
                                 ", but postprocess.angles "
                                 "has angles for ",
                                 angles_.size(), " classes"));
  }

  static std::string text_of(std::int64_t angle, bool is_turned) {
    if (angle == 0) return "upright";
    return str(is_turned ? "was" : "may be", " turned by ", angle, " degrees");
  }

  const Request& request_;
  const std::vector<std::int64_t>& angles_;
  double threshold_;
};

}  // namespace

void Turn::declare(Declaration<Turn>& d) {
  d.doc("The picture upright, by the angle that a classifier says it has")
      .input("classes: i64[N]")
      .input("scores: f32[N]")
      .light();
  d.param("angles", &Params::angles,
          "of each class, by how many degrees a picture is turned clockwise: "
          "0, 90, 180 or 270; none: the labels in the model's metadata")
      .range(0, 270);
  d.param("threshold", &Params::threshold,
          "score of a class from which on a picture is turned")
      .range(0, 1)
      .per_request();
  d.check([](const Params& params) -> std::string {
    for (const std::int64_t angle : params.angles) {
      if (angle % kQuarter != 0) {
        return str("angles: ", angle, " is none of 0, 90, 180 and 270");
      }
    }
    return "";
  });
}

void Turn::open(StageContext& context) {
  angles_ = params_.angles.empty()
                ? angles_of(labels::labels_named("model", context.model))
                : params_.angles;
}

std::unique_ptr<Writer> Turn::begin(const Request& request) const {
  return std::make_unique<TurnWriter>(request, angles_,
                                      params<Params>(*this, request).threshold);
}

}  // namespace penstock::image
