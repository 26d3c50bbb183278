// Value: what goes into a pipeline and what comes out. One type for both, so
// that the output of one pipeline is the input of another.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/export.h"
#include "penstock/notes.h"

namespace penstock {

/// A small map of named tensors that keeps its order.
using Tensors = std::vector<std::pair<std::string, at::Tensor>>;

/// "No bound": as a length, a rollback, a count.
inline constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();

/// A file, or bytes, or the seconds [begin, end) of it. Only a Preprocess
/// opens it.
struct Media {
  std::string name;
  std::shared_ptr<const std::string> bytes;  ///< null: read the file `name`
  double begin = 0;
  double end = std::numeric_limits<double>::infinity();
};

/// A JSON document, as text.
struct Json {
  std::string text;
};

class Source;
using Value =
    std::variant<std::string, Json, Media, Tensors, std::shared_ptr<Source>>;

/// Live input: a microphone, a pipe, another pipeline.
class PENSTOCK_API Source {
 public:
  virtual ~Source();
  /// Waits for the next piece; nothing: the end. Throws Cancelled.
  virtual std::optional<Value> read() = 0;
};

/// The tensor of that name, or null.
[[nodiscard]] PENSTOCK_API const at::Tensor* find(const Tensors& tensors,
                                                  std::string_view name);
/// The tensor of that name; throws Error(kInternal) naming those there are.
[[nodiscard]] PENSTOCK_API const at::Tensor& get(const Tensors& tensors,
                                                 std::string_view name);

}  // namespace penstock
