// What all our programs do alike.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "penstock/error.h"

namespace penstock {

/// A program started with 0, 1 or 2 closed would get those numbers for its own
/// files.
void open_standard_streams();

/// The exception being handled, whatever it is.
[[nodiscard]] Error caught();
/// Says what went wrong, after the program's name. Gives the exit code.
int complain(const std::string& program, const Error& error);
/// The same of the exception being handled.
int complain(const std::string& program);

/// What went well but should be known, a line each on stderr.
void warn(const std::string& program, const std::vector<std::string>& warnings);

/// Ends the program without taking its libraries apart one by one, which costs
/// libtorch 0.1 s; what looks at memory or coverage at the end needs that.
[[noreturn]] void leave(int code);

/// The most memory that this process has held, in bytes; 0: not known.
[[nodiscard]] std::int64_t peak_memory();

/// The search path with the folders of --plugin-path first; those must be
/// there. Throws Error(kNotFound).
[[nodiscard]] std::vector<std::filesystem::path> plugin_search_path(
    const std::vector<std::string>& named);

}  // namespace penstock
