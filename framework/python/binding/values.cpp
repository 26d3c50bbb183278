#include "binding/values.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <limits>
#include <mutex>
#include <utility>

#include "penstock/outcome.h"

namespace penstock::python {
namespace {

struct Kind {
  nb::dlpack::dtype dtype;
  at::ScalarType type;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {nb::dtype<float>(), at::kFloat},
      {nb::dtype<double>(), at::kDouble},
      {nb::dtype<std::uint8_t>(), at::kByte},
      {nb::dtype<std::int8_t>(), at::kChar},
      {nb::dtype<std::int16_t>(), at::kShort},
      {nb::dtype<std::int32_t>(), at::kInt},
      {nb::dtype<std::int64_t>(), at::kLong},
      {nb::dtype<bool>(), at::kBool},
      {{static_cast<std::uint8_t>(nb::dlpack::dtype_code::Float), 16, 1},
       at::kHalf},
      {{static_cast<std::uint8_t>(nb::dlpack::dtype_code::Bfloat), 16, 1},
       at::kBFloat16},
  };
  return all;
}

/// Arrays whose tensors are gone.
class Graveyard {
 public:
  void add(Array array) {
    const std::scoped_lock lock(mutex_);
    arrays_.push_back(std::move(array));
  }
  [[nodiscard]] std::vector<Array> take() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(arrays_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Array> arrays_;
};

/// Never destroyed: then there is no interpreter to give them back to.
Graveyard& graveyard() {
  static auto* all = new Graveyard;
  return *all;
}

Media media_of(const nb::tuple& parts) {
  Media media;
  media.name = nb::cast<std::string>(parts[1]);
  if (nb::cast<std::string>(parts[0]) == "file") {
    media.begin = nb::cast<double>(parts[2]);
    media.end = nb::cast<double>(parts[3]);
    return media;
  }
  const auto bytes = nb::cast<nb::bytes>(parts[2]);
  media.bytes =
      std::make_shared<const std::string>(bytes.c_str(), bytes.size());
  return media;
}

nb::dict dict_of(const Branch& branch, const Written& written) {
  nb::dict out;
  out["text"] = written.text;
  out["has_text"] = written.has_text;
  out["json"] = join_json(written.json);
  out["finish_reason"] = branch.finish_reason;
  out["token_ids"] = branch.token_ids;
  nb::list tensors;
  for (const Tensors& each : written.tensors) {
    tensors.append(object_of(Value(each)));
  }
  out["arrays"] = tensors;
  return out;
}

nb::dict dict_of(const Timing& timing) {
  nb::dict out;
  out["queue_ms"] = timing.queue_ms;
  out["prefill_ms"] = timing.prefill_ms;
  out["decode_ms"] = timing.decode_ms;
  out["first_token_ms"] = timing.first_token_ms;
  return out;
}

}  // namespace

at::Tensor tensor_of(Array array) {
  for (const Kind& kind : kinds()) {
    if (kind.dtype != array.dtype()) continue;
    std::vector<std::int64_t> sizes;
    for (std::size_t i = 0; i < array.ndim(); ++i) {
      sizes.push_back(static_cast<std::int64_t>(array.shape(i)));
    }
    // Stages read their inputs and write to none of them.
    auto* data = const_cast<void*>(array.data());  // NOLINT
    if (array.size() == 0) return at::empty(sizes, kind.type);
    return at::from_blob(
        data, sizes,
        [kept = std::move(array)](void* /*data*/) mutable {
          graveyard().add(std::move(kept));
        },
        kind.type);
  }
  throw Error(Code::kData,
              "an array has a dtype that no stage takes; expected one of "
              "uint8, int8, int16, int32, int64, bool, float16, float32, "
              "float64");
}

nb::object array_of(const at::Tensor& tensor) {
  at::Tensor plain = tensor.to(at::kCPU).contiguous();
  if (plain.scalar_type() == at::kBFloat16) plain = plain.to(at::kFloat);
  for (const Kind& kind : kinds()) {
    if (kind.type != plain.scalar_type()) continue;
    std::vector<std::size_t> shape;
    for (const std::int64_t size : plain.sizes()) {
      shape.push_back(static_cast<std::size_t>(size));
    }
    auto* kept = new at::Tensor(plain);
    const nb::capsule owner(
        kept, [](void* it) noexcept { delete static_cast<at::Tensor*>(it); });
    return nb::cast(nb::ndarray<nb::array_api, nb::device::cpu>(
        plain.data_ptr(), shape.size(), shape.data(), owner,
        /*strides=*/nullptr, kind.dtype));
  }
  throw Error(Code::kInternal, "a stage gave a tensor of an unusual dtype");
}

void free_arrays() { (void)graveyard().take(); }

Value value_of(nb::handle object) {
  if (nb::isinstance<nb::str>(object)) return nb::cast<std::string>(object);
  const auto parts = nb::cast<nb::tuple>(object);
  const auto kind = nb::cast<std::string>(parts[0]);
  if (kind == "json") return Json{nb::cast<std::string>(parts[1])};
  if (kind != "array") return media_of(parts);
  return Tensors{
      {nb::cast<std::string>(parts[1]), tensor_of(nb::cast<Array>(parts[2]))}};
}

Raw raw_of(nb::handle object) {
  const auto scalar = [](nb::handle one) {
    const auto parts = nb::cast<nb::tuple>(one);
    return RawScalar{.text = nb::cast<std::string>(parts[0]),
                     .quoted = nb::cast<bool>(parts[1])};
  };
  if (!nb::isinstance<nb::list>(object)) return scalar(object);
  std::vector<RawScalar> list;
  for (const nb::handle one : nb::cast<nb::list>(object)) {
    list.push_back(scalar(one));
  }
  return list;
}

nb::object object_of(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return nb::cast(*text);
  }
  if (const auto* json = std::get_if<Json>(&value)) {
    return nb::make_tuple("json", json->text);
  }
  nb::dict arrays;
  if (const auto* tensors = std::get_if<Tensors>(&value)) {
    for (const auto& [name, tensor] : *tensors) {
      if (tensor.defined()) arrays[nb::cast(name)] = array_of(tensor);
    }
  }
  return arrays;
}

nb::dict dict_of(const Notes& notes) {
  nb::dict out;
  for (const auto& [name, value] : notes) {
    out[nb::cast(name)] =
        std::visit([](const auto& plain) { return nb::cast(plain); }, value);
  }
  return out;
}

nb::dict dict_of(const Part& part) {
  const Report& report = part.report;
  nb::dict out;
  out["step"] = part.step;
  out["finish_reason"] = report.finish_reason;
  out["prompt_tokens"] = report.prompt_tokens;
  out["reused_tokens"] = report.reused_tokens;
  out["warnings"] = report.warnings;
  out["timing"] = dict_of(report.timing);
  out["notes"] = dict_of(report.notes);
  out["error"] = report.error ? nb::cast(report.error->what()) : nb::none();
  nb::list branches;
  for (std::size_t i = 0; i < report.branches.size(); ++i) {
    static const Written nothing;
    const auto found = part.branches.find(static_cast<int>(i));
    branches.append(dict_of(report.branches[i], found == part.branches.end()
                                                    ? nothing
                                                    : found->second));
  }
  out["branches"] = branches;
  return out;
}

}  // namespace penstock::python
