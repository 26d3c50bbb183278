// What the tests of pictures share.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace penstock::image {

/// tests/golden/image/NAME. Name it before a loop over it.
[[nodiscard]] nlohmann::json golden(const std::string& name);
/// tests/fixtures/pictures/NAME as bytes.
[[nodiscard]] std::string fixture(const std::string& name);
[[nodiscard]] std::string file_bytes(const std::filesystem::path& path);
/// Where tools/media puts what it fetches.
[[nodiscard]] std::filesystem::path media_folder();

/// The noise of make_image.py.
[[nodiscard]] at::Tensor noise(std::int64_t height, std::int64_t width,
                               std::uint32_t seed);
/// Smooth: noise on a lattice of 8 pixels, with straight lines between.
[[nodiscard]] at::Tensor clouds(std::int64_t height, std::int64_t width,
                                std::uint32_t seed);
/// The first 16 hex digits of SHA-256 of the tensor's bytes.
[[nodiscard]] std::string digest(const at::Tensor& tensor);

}  // namespace penstock::image
