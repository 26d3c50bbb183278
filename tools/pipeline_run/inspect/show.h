// --show and --until: what stages made, as one would print it cell by cell.
#pragma once

#include <string>

#include "penstock/pipeline.h"
#include "pipeline_run/output/output.h"

namespace penstock::run {

/// Which stages are shown, and how many steps of them.
struct Shown {
  bool preprocess = true, batch = true, forward = true;
  std::int64_t steps = 2;
};

class Show final : public Observer {
 public:
  Show(Output& output, const Shown& shown) : output_(output), shown_(shown) {}

  void item(const Request& request, const Item& item) override;
  void step(const Step& step, const Result& result) override;

 private:
  Output& output_;
  Shown shown_;
  std::int64_t steps_ = 0;
};

/// "i64[2, 16]".
[[nodiscard]] std::string shape_text(const at::Tensor& tensor);
/// Name, shape and, of small ones, the values; ends with a newline.
[[nodiscard]] std::string tensor_text(const std::string& name,
                                      const at::Tensor& tensor);

}  // namespace penstock::run
