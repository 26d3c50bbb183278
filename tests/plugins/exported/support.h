// Models and answers of tests/golden/make_models.py and make_torch.py, as
// tensors, for the tests of plugins that run models of others.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "penstock/error.h"
#include "penstock/testing/run_stage.h"

namespace penstock::testing {

inline std::string model(const std::string& name) {
  return std::string(PENSTOCK_FIXTURES) + "/models/" + name;
}

/// `folder` is one of tests/golden.
inline nlohmann::json answers_in(const std::string& folder) {
  std::ifstream file(str(PENSTOCK_GOLDEN, "/", folder, "/answers.json"));
  return nlohmann::json::parse(file).at("cases");
}

inline at::Tensor tensor_of(const nlohmann::json& json) {
  const auto shape = json.at("shape").get<std::vector<std::int64_t>>();
  const std::string dtype = json.at("dtype");
  const auto type = dtype == "int64"   ? at::kLong
                    : dtype == "uint8" ? at::kByte
                                       : at::kFloat;
  // Through text, so that each number is read as it was written.
  const auto numbers = json.at("data").get<std::vector<double>>();
  return at::tensor(numbers, at::kDouble).to(type).view(shape);
}

/// The rows of a case's inputs, without their batch dim, as items.
inline std::vector<GivenItem> items_of(const nlohmann::json& inputs) {
  std::vector<GivenItem> items;
  for (const auto& [name, json] : inputs.items()) {
    const at::Tensor all = tensor_of(json);
    items.resize(static_cast<std::size_t>(all.size(0)));
    for (std::int64_t i = 0; i < all.size(0); ++i) {
      items[static_cast<std::size_t>(i)].inputs.emplace_back(name, all[i]);
    }
  }
  return items;
}

inline GivenItem item(Tensors inputs) {
  return {.tokens = {}, .inputs = std::move(inputs), .notes = {}, .width = 1};
}

/// `stage` is what stands behind `use:`: "openvino.forward, rows: one".
inline Made run_model_by(const std::string& stage, const std::string& path,
                         std::vector<GivenItem> items) {
  return run_stage("{use: " + stage + "}",
                   {.model = path, .items = std::move(items)});
}

/// The rows of an output in the order of the items, whichever steps ran them.
inline at::Tensor rows_of(const Made& made, const std::string& name) {
  std::map<std::int64_t, at::Tensor> rows;
  for (const MadeStep& step : made.steps) {
    const at::Tensor& all = get(step.result.out, name);
    for (std::size_t i = 0; i < step.slices.size(); ++i) {
      rows[step.slices[i].item] = all[static_cast<std::int64_t>(i)];
    }
  }
  std::vector<at::Tensor> out;
  for (const auto& [item, row] : rows) out.push_back(row);
  return at::stack(out);
}

/// What running it throws, or "".
inline std::string failure_by(const std::string& stage, const std::string& path,
                              std::vector<GivenItem> items) {
  try {
    (void)run_model_by(stage, path, std::move(items));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace penstock::testing
