// Results held against files that somebody checked: golden files. Link
// penstock::testing.
//
//   EXPECT_EQ(golden_text("tests/golden/menu.txt", made.outcome.text()), "");
//   EXPECT_EQ(golden_tensor("tests/golden/mel.safetensors", "mel", got), "");
//
// A test never writes a golden file: what it got lies beside the temporary
// files, and what it says on a difference has the command that would take it.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "penstock/testing/difference.h"

namespace penstock::testing {

/// "" where the file has just these bytes. Else the first line that differs,
/// with its number and both forms, and where `got` lies now.
[[nodiscard]] std::string golden_text(const std::filesystem::path& file,
                                      std::string_view got);

/// "" where the tensor of that name in a safetensors or GGUF file has the shape
/// of `got` and is near it; see difference(). Numbers are compared as f32.
[[nodiscard]] std::string golden_tensor(const std::filesystem::path& file,
                                        const std::string& name,
                                        const at::Tensor& got,
                                        const Rounding& rounding = {});

}  // namespace penstock::testing
