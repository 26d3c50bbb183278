// A program of torch.export inside its archive: models/model.json and the
// weights beside it.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "heads/zip.h"
#include "penstock/json.h"
#include "penstock/model_head.h"

namespace penstock::heads {

inline constexpr std::string_view kProgram = "models/model.json";
inline constexpr std::string_view kNativeFolder = "data/aotinductor/";

/// Limits of a program's JSON: large models have tens of thousands of nodes.
[[nodiscard]] JsonLimits program_limits();

/// Inputs, outputs, ranges, operators and versions. Throws Error(kData) where
/// the program is of another schema, does what cannot be run again (writes
/// into its own buffers), or its weights are shorter than their shapes.
void read_program(const Source& source, const Zip& zip, ModelHead& head);

/// "f32" of the program's number for it; "dtype 99" of one that is not known.
[[nodiscard]] std::string torch_dtype(std::int64_t number);

/// Each parameter, buffer and constant of the program, by the name that its
/// graph has for it: its bytes must be there, as many as its shape takes.
/// `graph_values` are the shapes that the runtime goes by.
void check_program_weights(const Source& source, const Zip& zip,
                           const JsonView& input_specs,
                           const JsonView& graph_values);

}  // namespace penstock::heads
