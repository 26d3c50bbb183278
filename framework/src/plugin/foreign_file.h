// Says what a file is that is no ELF library for a 64-bit little-endian
// machine, for people who named the wrong file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::plugin {

/// "a script, not a library"; empty for an ELF file of the right class.
[[nodiscard]] std::string describe_foreign_file(std::string_view bytes);

/// "AArch64", "machine number 243".
[[nodiscard]] std::string machine_name(std::uint16_t machine);

}  // namespace penstock::plugin
