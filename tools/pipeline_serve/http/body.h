// The body of a request, as it comes: by length or in chunks.
#pragma once

#include <optional>
#include <string>

#include "pipeline_serve/http/chunks.h"
#include "pipeline_serve/http/head.h"

namespace penstock::serve {

class BodyReader {
 public:
  /// `most`: bytes of the body. Throws HttpError 413 where it says it is more.
  BodyReader(const Head& head, std::size_t most);

  /// Takes what belongs to the body off the front of `bytes`. Throws HttpError
  /// 400 or 413; the connection must be closed then.
  void read(std::string& bytes);
  [[nodiscard]] bool is_whole() const;
  [[nodiscard]] std::string take();

 private:
  std::size_t left_ = 0;
  std::string body_;
  std::optional<ChunkReader> chunks_;  ///< none: by length
};

}  // namespace penstock::serve
