// Which libraries lie in the folders of the search path, by their file names.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::plugin {

/// 1 to 64 of a-z, 0-9 and '_': plugins, and stages within a plugin.
[[nodiscard]] bool is_valid_name(std::string_view name);
/// The words for it in errors.
inline constexpr std::string_view kNameRule =
    "1 to 64 of the characters a-z, 0-9 and _";

/// "gemma" of ".../libpenstock_gemma.so"; empty for any other file name.
[[nodiscard]] std::string plugin_name(const std::filesystem::path& library);

struct FoundLibrary {
  std::string name;
  std::filesystem::path path;  ///< in a canonical folder; may be a link
};

/// Every libpenstock_<name>.so, folder by folder, sorted within each. A folder
/// or library that is reached in two ways counts once.
[[nodiscard]] std::vector<FoundLibrary> find_libraries(
    const std::vector<std::filesystem::path>& folders);

/// "/a, /b (no such folder)": where a plugin was looked for.
[[nodiscard]] std::string describe_folders(
    const std::vector<std::filesystem::path>& folders);

}  // namespace penstock::plugin
