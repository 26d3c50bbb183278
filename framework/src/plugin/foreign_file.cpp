#include "plugin/foreign_file.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <utility>

#include "penstock/error.h"

namespace penstock::plugin {

namespace {

using Known = std::pair<std::string_view, std::string_view>;

bool looks_like_text(std::string_view bytes) {
  const std::string_view start = bytes.substr(0, 512);
  return std::none_of(start.begin(), start.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x7f || (byte < ' ' && (byte < '\t' || byte > '\r'));
  });
}

std::string describe_by_magic(std::string_view bytes) {
  constexpr std::array<Known, 7> kMagics{{
      {"#!", "a script"},
      {"!<arch>", "a static library (an archive of object files)"},
      {"MZ", "a Windows program or DLL"},
      {"\xcf\xfa\xed\xfe", "a macOS library"},
      {"PK\x03\x04", "a zip archive"},
      {"\x1f\x8b", "a gzip file"},
      {"GGUF", "a GGUF model file"},
  }};
  for (const auto& [magic, what] : kMagics) {
    if (bytes.starts_with(magic)) return str(what, ", not a shared library");
  }
  return looks_like_text(bytes) ? "a text file, not a shared library"
                                : "not an ELF shared library";
}

}  // namespace

std::string describe_foreign_file(std::string_view bytes) {
  constexpr std::string_view kElf(
      "\x7f"
      "ELF");
  if (bytes.empty()) return "an empty file";
  if (!bytes.starts_with(kElf)) return describe_by_magic(bytes);
  if (bytes.size() < sizeof(Elf64_Ehdr)) {
    return "cut short: it ends within its ELF header";
  }
  if (bytes[EI_CLASS] == ELFCLASS32) {
    return "a 32-bit ELF file; this program is 64-bit";
  }
  if (bytes[EI_DATA] == ELFDATA2MSB) {
    return "an ELF file for a big-endian machine";
  }
  if (bytes[EI_CLASS] != ELFCLASS64 || bytes[EI_DATA] != ELFDATA2LSB) {
    return "an ELF file of an unknown class";
  }
  return {};
}

std::string machine_name(std::uint16_t machine) {
  constexpr std::array<std::pair<std::uint16_t, std::string_view>, 6> kNames{{
      {EM_386, "32-bit x86"},
      {EM_X86_64, "x86-64"},
      {EM_ARM, "32-bit ARM"},
      {EM_AARCH64, "AArch64"},
      {EM_RISCV, "RISC-V"},
      {EM_PPC64, "64-bit PowerPC"},
  }};
  for (const auto& [number, name] : kNames) {
    if (number == machine) return std::string(name);
  }
  return str("machine number ", machine);
}

}  // namespace penstock::plugin
