// What could stand around a model that somebody exported: stages that make its
// inputs of what people have, and stages that read its outputs, guessed by
// names, dtypes and dims. A guess that the check of files refuses is dropped,
// so these may be bold.
#pragma once

#include <string>
#include <vector>

#include "penstock/model_ports.h"

namespace penstock::fresh {

struct Recipe {
  std::string what;                ///< "pictures of 224 x 224", "classes"
  std::vector<std::string> names;  ///< of forward: "x=pixels"
  std::string yaml;                ///< the lines of the stages
  std::string request;             ///< of ways in: "{image: FILE}"
  bool is_padded = false;          ///< of ways in: lengths differ
};

/// Names of inputs that look like pictures with the channels last.
[[nodiscard]] std::vector<std::string> channels_last(const ModelPorts& model);

/// Ways to feed it, the likeliest first; the last takes numbers as they are.
/// None of a model that takes nothing.
[[nodiscard]] std::vector<Recipe> ways_in(const ModelPorts& model);

/// Ways to read it, the likeliest first; the last gives the tensors as they
/// are. `labels`: how many classes the file has names for. `in`: how it is fed.
[[nodiscard]] std::vector<Recipe> ways_out(const ModelPorts& model,
                                           std::size_t labels,
                                           const Recipe& in);

}  // namespace penstock::fresh
