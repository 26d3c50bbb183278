// How a value is shown in an error and written in YAML. Private.
#pragma once

#include <string>
#include <string_view>

namespace penstock {

/// For error texts: 'text' on one line, cut where it is long.
[[nodiscard]] std::string shown(std::string_view text);

/// A YAML scalar that reads back as the text `text`: plain where that is
/// safe, else in double quotes. `$` is doubled where it would begin a
/// variable.
[[nodiscard]] std::string yaml_text(std::string_view text);

/// As yaml_text(), but numbers and words such as `true` stay plain.
[[nodiscard]] std::string yaml_plain(std::string_view text);

/// "a, b, c"
template <class Texts>
[[nodiscard]] std::string joined(const Texts& texts) {
  std::string out;
  for (const auto& text : texts) {
    if (!out.empty()) out += ", ";
    out += text;
  }
  return out;
}

}  // namespace penstock
