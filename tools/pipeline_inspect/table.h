// Text set out in columns.
#pragma once

#include <string>
#include <vector>

namespace penstock::inspect {

/// `text` with spaces behind it up to `width`.
[[nodiscard]] std::string padded(const std::string& text, std::size_t width);

/// Each row as a line without its end, columns two spaces apart and after two
/// spaces; rows have the same number of cells.
[[nodiscard]] std::vector<std::string> aligned(
    const std::vector<std::vector<std::string>>& rows);

}  // namespace penstock::inspect
