#include "image/save.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "image/draw.h"
#include "penstock/drawing.h"
#include "penstock/error.h"

namespace penstock::image {
namespace {

constexpr std::int64_t kMostPixels = 1 << 28;

std::string names_of_tensors(const Tensors& tensors) {
  std::string out;
  for (const auto& [name, tensor] : tensors) {
    out += (out.empty() ? "'" : ", '") + name + "'";
  }
  return out.empty() ? "none" : out;
}

const at::Tensor& tensor_of(const Decoded& decoded, const std::string& name) {
  if (const at::Tensor* made = find(decoded.tensors, name)) return *made;
  if (const at::Tensor* seen = find(decoded.item->inputs, name)) return *seen;
  throw Error(
      Code::kData,
      str("there is no tensor '", name, "': decode gives ",
          names_of_tensors(decoded.tensors), ", preprocess made ",
          names_of_tensors(decoded.item->inputs), "; set postprocess.tensor"));
}

[[noreturn]] void refuse_shape(const std::string& name,
                               const at::Tensor& tensor) {
  std::string shape;
  for (const std::int64_t size : tensor.sizes()) {
    shape += (shape.empty() ? "" : ",") + std::to_string(size);
  }
  throw Error(
      Code::kData,
      str("'", name, "' is ", at::toString(tensor.scalar_type()), "[", shape,
          "]; a picture is [H,W], [1,H,W] or [3,H,W] of numbers, or "
          "[H,W,3] of bytes"));
}

at::Tensor per_channel(const std::vector<double>& numbers,
                       std::int64_t channels, const char* param) {
  if (numbers.size() != 1 &&
      static_cast<std::int64_t>(numbers.size()) != channels) {
    throw Error(Code::kData,
                str(param, " has ", numbers.size(),
                    " numbers; the picture has ", channels, " channels"));
  }
  return at::tensor(numbers, at::kFloat).reshape({-1, 1, 1});
}

class SaveWriter final : public Writer {
 public:
  SaveWriter(const Save::Params& params, std::string id)
      : params_(params), id_(std::move(id)) {}

  bool write(const Decoded& decoded, OutputSink& out) override {
    const at::Tensor pixels = bytes_of(tensor_of(decoded, params_.tensor));
    make_drawing_folder(params_.folder);
    std::string ending;
    if (count_ > 0) ending = str(".", count_);
    const auto path =
        drawing_path(params_.folder, id_, ending + ".png").string();
    write_png(path, pixels);
    const nlohmann::ordered_json entry = {
        {"file", path}, {"width", pixels.size(1)}, {"height", pixels.size(0)}};
    out.emit(Json{nlohmann::ordered_json{
                 {"images", nlohmann::ordered_json::array({entry})}}
                      .dump(-1, ' ', false,
                            nlohmann::ordered_json::error_handler_t::replace)},
             decoded.branch, /*is_final=*/false);
    out.emit((count_ > 0 ? "\n" : "") + path, decoded.branch,
             decoded.finish != Finish::kNo);
    ++count_;
    return true;
  }
  void end(OutputSink& /*out*/) override {}

 private:
  /// As u8[H,W,3].
  [[nodiscard]] at::Tensor bytes_of(const at::Tensor& given) const {
    at::Tensor picture = given.cpu();
    const bool is_real = picture.is_floating_point();
    if (picture.dim() == 2) picture = picture.unsqueeze(0);
    const bool is_bytes = picture.scalar_type() == at::kByte;
    if (picture.dim() != 3 || (!is_real && !is_bytes) || picture.numel() == 0 ||
        picture.numel() > kMostPixels) {
      refuse_shape(params_.tensor, given);
    }
    if (is_bytes && given.dim() == 3 && picture.size(2) == 3)
      return picture.contiguous();
    const std::int64_t channels = picture.size(0);
    if (channels != 1 && channels != 3) refuse_shape(params_.tensor, given);
    if (is_real) {
      const auto unit =
          picture.to(at::kFloat) * per_channel(params_.std, channels, "std") +
          per_channel(params_.mean, channels, "mean");
      // NaN is black: no byte stands for it.
      picture =
          unit.nan_to_num(0, 1, 0).clamp(0, 1).mul(255).round().to(at::kByte);
    }
    return picture.expand({3, -1, -1}).permute({1, 2, 0}).contiguous();
  }

  const Save::Params& params_;
  std::string id_;
  std::int64_t count_ = 0;
};

std::string save_conflict(const Save::Params& params) {
  if (params.mean.empty() || params.std.empty()) {
    return "mean and std have one number, or one for each channel";
  }
  return "";
}

}  // namespace

void Save::declare(Declaration<Save>& d) {
  d.doc("Pixels that the model made, or saw, as PNG files").light();
  d.param("tensor", &Params::tensor,
          "its name: of what decode gives, else of what preprocess made");
  d.param("folder", &Params::folder,
          "where files go, named after the request; made where it is not there")
      .draws();
  d.param("mean", &Params::mean,
          "added after std, for all channels or for each: gives 0..1 of "
          "normalised pixels");
  d.param("std", &Params::std,
          "what the numbers are multiplied with, for all channels or for each");
  d.check(save_conflict);
}

std::unique_ptr<Writer> Save::begin(const Request& request) const {
  return std::make_unique<SaveWriter>(params_, request.id);
}

}  // namespace penstock::image
