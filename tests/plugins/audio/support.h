// What tests of stages that hear share: golden files, the generator of their
// input, and a way to run one Preprocess.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "penstock/preprocess.h"

namespace penstock::audio {

[[nodiscard]] nlohmann::json golden_json(const std::string& path);
[[nodiscard]] at::Tensor golden_floats(const std::string& path,
                                       const std::vector<std::int64_t>& shape);
/// The noise of tests/golden/make_audio.py.
[[nodiscard]] std::vector<float> noise(std::int64_t count, std::uint32_t seed);
[[nodiscard]] at::Tensor to_tensor(const std::vector<float>& values);
/// The largest difference of two tensors of one shape.
[[nodiscard]] double distance(const at::Tensor& a, const at::Tensor& b);

/// Keeps what was pushed.
class Kept final : public ItemSink {
 public:
  void push(Item item) override { items.push_back(std::move(item)); }
  void warn(std::string text) override { warnings.push_back(std::move(text)); }
  std::vector<Item> items;
  std::vector<std::string> warnings;
};

/// The stage T's params with these texts set, as a pipeline file would.
template <class T>
std::shared_ptr<void> params_of(
    const std::vector<std::pair<std::string, std::string>>& texts) {
  Declaration<T> declaration;
  T::declare(declaration);
  const ParamSchema schema = declaration.take().params;
  auto params = schema.make();
  for (const auto& [name, text] : texts) {
    const ParamSpec* spec = schema.find(name);
    if (spec == nullptr) throw Error(Code::kUsage, "no param " + name);
    schema.set(params.get(), *spec, parse_param(*spec, raw_from_text(text)));
  }
  const std::string conflict = schema.conflict(params.get());
  if (!conflict.empty()) throw Error(Code::kData, conflict);
  return params;
}

/// Runs the stage T on a request and an item; gives its one item.
template <class T>
Item run_stage(const std::vector<std::pair<std::string, std::string>>& texts,
               Request request, Item item) {
  const auto params = params_of<T>(texts);
  const T stage(*static_cast<const typename T::Params*>(params.get()));
  request.checked = {params};
  Kept kept;
  stage.preprocess(request, std::move(item), kept);
  if (kept.items.size() != 1) throw Error(Code::kInternal, "not one sample");
  return std::move(kept.items[0]);
}

}  // namespace penstock::audio
