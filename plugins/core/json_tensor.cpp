#include "core/json_tensor.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "penstock/dtype.h"
#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::core {
namespace {

/// Lists within lists beyond it are no tensor of a model.
constexpr std::size_t kDepth = 16;

/// Reads the numbers in order; the place of each is known while it is read.
class Reader {
 public:
  Reader(std::string name, at::ScalarType dtype)
      : name_(std::move(name)), dtype_(dtype) {}

  at::Tensor read(const JsonValue& all) {
    for (const JsonValue* at = &all; const auto* list = array(*at);
         at = &list->front()) {
      sizes_.push_back(static_cast<std::int64_t>(list->size()));
      if (list->empty()) break;
    }
    collect(all, 0);
    const at::Tensor whole = at::empty(
        sizes_, c10::isFloatingType(dtype_) ? at::kDouble : at::kLong);
    if (c10::isFloatingType(dtype_)) {
      std::copy(reals_.begin(), reals_.end(), whole.mutable_data_ptr<double>());
    } else {
      std::copy(integers_.begin(), integers_.end(),
                whole.mutable_data_ptr<std::int64_t>());
    }
    return whole.to(dtype_);
  }

 private:
  static const JsonValue::Array* array(const JsonValue& value) {
    return std::get_if<JsonValue::Array>(&value.data);
  }

  [[noreturn]] void fail(const std::string& problem) const {
    std::string place;
    for (const std::size_t i : at_) place += str("[", i, "]");
    throw Error(Code::kData,
                str("input '", name_, "'", place.empty() ? "" : " " + place,
                    ": ", problem));
  }

  void collect(const JsonValue& value, std::size_t depth) {
    const auto* list = array(value);
    if (depth == sizes_.size()) {
      if (list != nullptr) fail("a list, where other places have a number");
      number(value);
      return;
    }
    if (list == nullptr) fail("no list, where other places have one");
    if (static_cast<std::int64_t>(list->size()) != sizes_[depth]) {
      fail(str("a list of ", list->size(), ", where the first is one of ",
               sizes_[depth]));
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
      at_.push_back(i);
      collect((*list)[i], depth + 1);
      at_.pop_back();
    }
  }

  void number(const JsonValue& value) {
    if (const bool* flag = std::get_if<bool>(&value.data)) {
      keep(static_cast<std::int64_t>(*flag));
    } else if (const auto* integer = std::get_if<std::int64_t>(&value.data)) {
      keep(*integer);
    } else if (const auto* real = std::get_if<double>(&value.data)) {
      keep(*real);
    } else {
      fail("expected a number");
    }
  }

  void keep(std::int64_t value) {
    if (c10::isFloatingType(dtype_)) {
      keep(static_cast<double>(value));
      return;
    }
    const auto [least, most] = range();
    if (value < least || value > most) {
      fail(str(value, " is beyond ", dtype_word(dtype_), ", which is ", least,
               " to ", most));
    }
    integers_.push_back(value);
  }

  void keep(double value) {
    if (!c10::isFloatingType(dtype_)) {
      fail(str(value, " is no integer, as ", dtype_word(dtype_), " wants"));
    }
    const double most = dtype_ == at::kHalf     ? 65504
                        : dtype_ == at::kDouble ? kLargest
                                                : kLargestFloat;
    if (std::abs(value) > most) {
      fail(str(value, " is beyond ", dtype_word(dtype_)));
    }
    reals_.push_back(value);
  }

  [[nodiscard]] std::pair<std::int64_t, std::int64_t> range() const {
    switch (dtype_) {
      case at::kBool:
        return {0, 1};
      case at::kByte:
        return {0, 255};
      case at::kChar:
        return {-128, 127};
      case at::kShort:
        return {-32768, 32767};
      case at::kInt:
        return {std::numeric_limits<std::int32_t>::min(),
                std::numeric_limits<std::int32_t>::max()};
      default:
        return {std::numeric_limits<std::int64_t>::min(),
                std::numeric_limits<std::int64_t>::max()};
    }
  }

  static constexpr double kLargest = std::numeric_limits<double>::max();
  static constexpr double kLargestFloat = std::numeric_limits<float>::max();

  std::string name_;
  at::ScalarType dtype_;
  std::vector<std::int64_t> sizes_;
  std::vector<std::size_t> at_;
  std::vector<std::int64_t> integers_;
  std::vector<double> reals_;
};

}  // namespace

at::Tensor json_tensor(const std::string& text, const std::string& name,
                       at::ScalarType dtype, std::int64_t max_values) {
  // A list counts as a value as well, and a number may stand in one alone.
  const auto values = static_cast<std::size_t>(max_values);
  const JsonValue all = parse_json(
      text, str("input '", name, "'"),
      {.bytes = text.size(), .depth = kDepth, .values = 2 * values + 1});
  return Reader(name, dtype).read(all);
}

}  // namespace penstock::core
