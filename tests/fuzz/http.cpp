// Bytes from a socket: requests one after another, as a connection reads them.
#include <variant>

#include "pipeline_serve/http/body.h"
#include "pipeline_serve/http/head.h"
#include "tests/fuzz/fuzz.h"

void penstock::fuzz::take(std::string_view bytes) {
  using namespace penstock::serve;
  const Limits limits{.header_bytes = 1024, .header_fields = 16};
  std::string in(bytes);
  try {
    while (!in.empty()) {
      const std::size_t size = head_size(in);
      if (size == 0) {
        (void)look_early(in, limits);
        return;
      }
      const auto head = read_head(std::string_view(in).substr(0, size), limits);
      if (std::holds_alternative<HttpError>(head)) return;
      in.erase(0, size);
      BodyReader body(std::get<Head>(head), 4096);
      body.read(in);
      if (!body.is_whole()) return;
      (void)body.take();
    }
  } catch (const HttpError&) {
    return;  // refused: as it should be
  }
}
