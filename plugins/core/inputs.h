// core.inputs: named tensors of the request as they are, for models whose
// inputs people have as numbers already.
#pragma once

#include <string>
#include <vector>

#include "penstock/preprocess.h"

namespace penstock::core {

/// Inputs and outputs: the tensors of param `tensors`. A request gives each as
/// a tensor of that dtype, or as JSON: lists within lists, a number where it
/// has no dims; another step's tensor (core.tensor, format: next) may have
/// another name where it is the only one. Dims that are numbers must be so;
/// those that are names may have any size, the same for all tensors of a
/// request.
class Inputs final : public Preprocess {
 public:
  struct Params {
    std::vector<std::string> tensors;
    std::int64_t max_values = 100'000'000;
  };
  static void declare(Declaration<Inputs>& d);
  static Ports describe(const Params& params);
  explicit Inputs(const Params& params);

  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  Params params_;
  std::vector<Port> ports_;
};

}  // namespace penstock::core
