// A postprocess stage: the answer's token ids, the last one first.
#include "penstock/plugin.h"

namespace {

using namespace penstock;  // NOLINT(google-build-using-namespace): an example

/// Writes one request's result; it gets what Decode emits, piece by piece.
class Backwards final : public Writer {
 public:
  explicit Backwards(bool has_count) : has_count_(has_count) {}

  bool write(const Decoded& decoded, OutputSink& /*out*/) override {
    ids_.insert(ids_.end(), decoded.tokens.begin(), decoded.tokens.end());
    return true;  // go on
  }
  void end(OutputSink& out) override {
    std::string text;
    for (auto id = ids_.rbegin(); id != ids_.rend(); ++id) {
      text += str(*id, " ");
    }
    if (has_count_) text += str("(", ids_.size(), ")");
    out.emit(std::move(text), /*branch=*/0, /*is_final=*/true);
  }

 private:
  bool has_count_;
  Tokens ids_;
};

class Reversed final : public Postprocess {
 public:
  struct Params {
    bool count = true;
  };
  static void declare(Declaration<Reversed>& d) {
    d.doc("Token ids, the last one first").input("tokens: i64[N]");
    d.param("count", &Params::count, "say how many there are");
  }
  explicit Reversed(const Params& params) : params_(params) {}

  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& /*request*/) const override {
    return std::make_unique<Backwards>(params_.count);
  }

 private:
  Params params_;
};

}  // namespace

PENSTOCK_PLUGIN(reversed, registry) { registry.add<Reversed>("ids"); }
