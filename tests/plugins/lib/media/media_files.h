// The files that tools/media fetches, and ways to spoil them.
#pragma once

#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace penstock::media {

/// Where tools/media puts what it fetches.
[[nodiscard]] std::filesystem::path media_folder();
/// Every file below a folder of it, sorted.
[[nodiscard]] std::vector<std::filesystem::path> files(
    const std::string& folder);
[[nodiscard]] std::string bytes_of(const std::filesystem::path& path);

inline constexpr int kWaysToSpoil = 5;
/// 0: cut; 1: a part gone; 2: only its first bytes; 3, 4: bits turned over, in
/// all of it or in its header.
[[nodiscard]] std::string spoilt(std::string bytes, int way,
                                 std::mt19937& random);

}  // namespace penstock::media
