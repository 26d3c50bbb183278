// UTF-8 helpers for stages that read or write text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "penstock/export.h"

namespace penstock {

/// The position of the first byte that is not part of well-formed UTF-8
/// (RFC 3629: no surrogates, no overlong forms); nothing: all is well.
[[nodiscard]] PENSTOCK_API std::optional<std::size_t> invalid_utf8(
    std::string_view text);

/// Length of the longest prefix that ends between characters, where the rest
/// could still become one with more bytes. For streaming.
[[nodiscard]] PENSTOCK_API std::size_t complete_utf8(std::string_view text);

/// Malformed bytes replaced by U+FFFD, each on its own.
[[nodiscard]] PENSTOCK_API std::string replace_invalid_utf8(
    std::string_view text);

}  // namespace penstock
