// multipart/form-data: the fields and files of an upload. Its own parser,
// strict and bounded: whatever is not as RFC 7578 has it is refused, and what
// is taken are views into the body.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::serve {

/// A field of a form, or a file in it.
struct FormPart {
  std::string name;
  bool is_file = false;      ///< it came with a file name
  std::string filename;      ///< a label for people: without folders
  std::string_view content;  ///< of the body
};

struct FormLimits {
  std::size_t parts = 64;
  std::size_t head_bytes = std::size_t{8} << 10U;    ///< of a part's header
  std::size_t field_bytes = std::size_t{64} << 10U;  ///< of what is no file
};

/// Whether a Content-Type is that of a form.
[[nodiscard]] bool is_form(std::string_view content_type);

/// The parts in their order; a name may come again. `body` outlives them.
/// Throws HttpError 400, or 415 where the Content-Type is of something else.
[[nodiscard]] std::vector<FormPart> parse_form(std::string_view content_type,
                                               std::string_view body,
                                               const FormLimits& limits = {});

}  // namespace penstock::serve
