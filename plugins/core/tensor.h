// core.tensor: named tensors as they are: in JSON, as files, or for a next
// step.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "penstock/postprocess.h"

namespace penstock::core {

/// Input: every tensor that Decode gives, or those that are named. Output: a
/// line about each, and JSON {"tensors": [{"name", "item", "dtype", "shape",
/// "values" or "file"}]}; with format next the tensors themselves.
class Tensor final : public Postprocess {
 public:
  struct Params {
    std::vector<std::string> names;
    std::string format = "json";
    std::string folder = "tensors";
    std::int64_t max_values = 100'000;
  };
  static void declare(Declaration<Tensor>& d);
  explicit Tensor(Params params) : params_(std::move(params)) {}

  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;

 private:
  Params params_;
};

}  // namespace penstock::core
