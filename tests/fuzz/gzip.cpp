// A body that is said to be gzip, or zlib's.
#include "pipeline_serve/http/gzip.h"

#include <cstdlib>

#include "pipeline_serve/http/message.h"
#include "tests/fuzz/fuzz.h"

void penstock::fuzz::take(std::string_view bytes) {
  constexpr std::size_t kMost = 4096;
  for (const char* coding : {"gzip", "deflate"}) {
    try {
      const auto out = serve::unpacked(coding, std::string(bytes), kMost);
      if (out.size() > kMost) std::abort();
    } catch (const serve::HttpError&) {
      continue;  // refused: as it should be
    }
  }
}
