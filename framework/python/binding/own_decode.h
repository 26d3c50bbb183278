// A Decode that is a class of Python.
#pragma once

#include "binding/own_object.h"
#include "penstock/decode.h"

namespace penstock::python {

class OwnDecode final : public Decode {
 public:
  using Params = OwnParams;
  static void declare(Declaration<OwnDecode>& d) { declare_own(d); }
  explicit OwnDecode(const Params& params) : object_(params) {}

  void open(StageContext& context) override { object_.open(context); }
  void close() noexcept override { object_.close(); }
  void start(Sequence& sequence) override;
  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override;

 private:
  [[nodiscard]] nb::dict dict_of_sequence(const Sequence& sequence) const;
  [[nodiscard]] nb::dict dict_of_step(const Step& step,
                                      const Result& picked) const;

  OwnObject object_;
};

}  // namespace penstock::python
