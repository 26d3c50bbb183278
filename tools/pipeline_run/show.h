// --show: what each stage made, as one would print it cell by cell.
#pragma once

#include <string>

#include "output.h"
#include "penstock/pipeline.h"

namespace penstock::run {

class Show final : public Observer {
 public:
  explicit Show(Output& output) : output_(output) {}

  void sample(const Request& request, const Sample& sample) override;
  void step(const Step& step, const Result& result) override;

 private:
  Output& output_;
  std::int64_t steps_ = 0;
};

/// "i64[2, 16]".
[[nodiscard]] std::string shape_text(const at::Tensor& tensor);

}  // namespace penstock::run
