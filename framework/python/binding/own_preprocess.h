// A Preprocess that is a class of Python.
#pragma once

#include "binding/own_object.h"
#include "penstock/preprocess.h"

namespace penstock::python {

class OwnPreprocess final : public Preprocess {
 public:
  using Params = OwnParams;
  static void declare(Declaration<OwnPreprocess>& d) { declare_own(d); }
  explicit OwnPreprocess(const Params& params) : object_(params) {}

  void open(StageContext& context) override { object_.open(context); }
  void close() noexcept override { object_.close(); }
  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  OwnObject object_;
};

}  // namespace penstock::python
