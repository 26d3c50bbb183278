// Base64 (RFC 4648): bytes in JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace penstock::serve {

/// The bytes; nothing where `text` is none. The '=' at the end may be missing.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);
[[nodiscard]] std::string to_base64(std::string_view bytes);

}  // namespace penstock::serve
