// Hugging Face folders with one file damaged each, for trouble.txt.
#pragma once

#include <filesystem>

namespace penstock::cli {

/// Each has the name that trouble.txt gives it; what is whole is linked.
void write_damaged_folders(const std::filesystem::path& to);

}  // namespace penstock::cli
