// Folders that the environment names.
#pragma once

#include <filesystem>
#include <string>

namespace penstock {

/// A variable's value; "" where it is not set.
[[nodiscard]] std::string environment(const char* name);

/// $HOME; without it, as in services, what the user data base says, and "/" for
/// a user that it does not know, as containers have it. tools/models looks in
/// the same place.
[[nodiscard]] std::filesystem::path home_folder();

}  // namespace penstock
