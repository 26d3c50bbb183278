// A Postprocess that is a class of Python.
#pragma once

#include "binding/own_object.h"
#include "penstock/postprocess.h"

namespace penstock::python {

class OwnPostprocess final : public Postprocess {
 public:
  using Params = OwnParams;
  static void declare(Declaration<OwnPostprocess>& d) { declare_own(d); }
  explicit OwnPostprocess(const Params& params) : object_(params) {}

  void open(StageContext& context) override { object_.open(context); }
  void close() noexcept override { object_.close(); }
  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;

 private:
  OwnObject object_;
};

}  // namespace penstock::python
