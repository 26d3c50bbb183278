#include "binding/own_postprocess.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <utility>

namespace penstock::python {
namespace {

nb::dict dict_of_decoded(const Decoded& decoded) {
  nb::dict out;
  out["tokens"] = decoded.tokens;
  out["tensors"] = arrays_of(decoded.tensors);
  out["notes"] = dict_of(decoded.notes);
  out["item"] = dict_of(*decoded.item);
  out["branch"] = decoded.branch;
  out["finish"] =
      decoded.finish == Finish::kNo ? std::string() : to_string(decoded.finish);
  return out;
}

/// What a call of the writer gave.
struct Told {
  std::vector<Value> pieces;
  bool goes_on = true;
};

/// ([text or ("json", text)], whether it goes on)
Told told_of(const nb::object& given) {
  const auto both = nb::cast<nb::tuple>(given);
  Told out;
  for (const nb::handle piece : nb::cast<nb::list>(both[0])) {
    out.pieces.push_back(value_of(piece));
  }
  out.goes_on = nb::cast<bool>(both[1]);
  return out;
}

class OwnWriter final : public Writer {
 public:
  explicit OwnWriter(nb::object object) : object_(std::move(object)) {}

  bool write(const Decoded& decoded, OutputSink& out) override {
    Told told = in_python([&] {
      return told_of(object_.get().attr("write")(dict_of_decoded(decoded)));
    });
    const bool is_end = decoded.finish != Finish::kNo || !told.goes_on;
    emit(std::move(told.pieces), decoded.branch, is_end, out);
    return told.goes_on;
  }
  void end(OutputSink& out) override {
    Told told = in_python([&] { return told_of(object_.get().attr("end")()); });
    emit(std::move(told.pieces), /*branch=*/0, /*is_end=*/true, out);
  }

 private:
  /// Whoever reads may be slow; the GIL is free meanwhile.
  static void emit(std::vector<Value> pieces, int branch, bool is_end,
                   OutputSink& out) {
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      out.emit(std::move(pieces[i]), branch, is_end && i + 1 == pieces.size());
    }
  }

  Held object_;
};

}  // namespace

std::unique_ptr<Writer> OwnPostprocess::begin(const Request& request) const {
  const auto& own = params<OwnParams>(*this, request);
  return in_python([&]() -> std::unique_ptr<Writer> {
    return std::make_unique<OwnWriter>(
        object_.get().attr("begin")(dict_of(request, own)));
  });
}

}  // namespace penstock::python
