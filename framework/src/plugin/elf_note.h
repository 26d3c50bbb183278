// Reads what a plugin library says of itself from the bytes of its file. No
// offset in the file is believed before it is compared with the file's size,
// and nothing of the library runs.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace penstock::plugin {

struct LibraryNote {
  /// The text of the note `.note.penstock`; empty: there is none.
  std::string text;
  /// Whether the library exports `penstock_plugin`; unset: a stripped file
  /// does not say.
  std::optional<bool> has_entry;
};

/// Throws Error(kInternal) that says what the bytes are, when they are not a
/// whole shared library for this machine.
[[nodiscard]] LibraryNote read_library_note(std::span<const std::byte> bytes);

}  // namespace penstock::plugin
