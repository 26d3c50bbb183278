// An upload: the first line is its Content-Type, the rest its body.
#include "pipeline_serve/api/uploads/multipart.h"

#include <algorithm>

#include "pipeline_serve/http/message.h"
#include "tests/fuzz/fuzz.h"

void penstock::fuzz::take(std::string_view bytes) {
  using namespace penstock::serve;
  const auto end = std::min(bytes.find('\n'), bytes.size());
  const auto body = bytes.substr(std::min(end + 1, bytes.size()));
  const FormLimits limits{.parts = 4, .head_bytes = 256, .field_bytes = 64};
  try {
    for (const FormPart& part :
         parse_form(bytes.substr(0, end), body, limits)) {
      const bool is_inside = part.content.data() >= body.data() &&
                             part.content.data() + part.content.size() <=
                                 body.data() + body.size();
      if (!is_inside || part.filename.find('/') != std::string::npos) {
        __builtin_trap();
      }
    }
  } catch (const HttpError&) {
    return;  // refused: as it should be
  }
}
