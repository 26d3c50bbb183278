// diffusion.noise: what a denoising model begins with.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "penstock/preprocess.h"

namespace penstock::diffusion {

/// Output: sample f32[shape], unit noise, equal to what torch.randn gives with
/// torch.Generator().manual_seed(seed); timestep, a number that denoise
/// replaces; with `condition: class` condition i64[], by the text.
class Noise final : public Preprocess {
 public:
  struct Params {
    std::vector<std::int64_t> shape = {};
    std::int64_t seed = 0;
    std::int64_t count = 1;
    std::string timestep = "i64";
    std::string condition = "none";
    std::vector<std::string> classes = {};
  };
  static void declare(Declaration<Noise>& d);
  static Ports describe(const Params& params);
  explicit Noise(Params params) : params_(std::move(params)) {}

  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  [[nodiscard]] std::int64_t class_of(const std::string& text) const;

  Params params_;
};

}  // namespace penstock::diffusion
