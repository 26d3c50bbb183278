#include "pipeline_serve/http/body.h"

#include <algorithm>
#include <utility>

namespace penstock::serve {

BodyReader::BodyReader(const Head& head, std::size_t most) {
  if (head.is_chunked) {
    chunks_.emplace(most);
    return;
  }
  if (head.length.value_or(0) > most) {
    throw http_error(413, str("the body is longer than ", most, " bytes"));
  }
  left_ = static_cast<std::size_t>(head.length.value_or(0));
}

void BodyReader::read(std::string& bytes) {
  if (chunks_) return chunks_->read(bytes);
  const std::size_t count = std::min(left_, bytes.size());
  if (body_.empty() && count == bytes.size()) {
    body_ = std::exchange(bytes, {});
  } else {
    body_.append(bytes, 0, count);
    bytes.erase(0, count);
  }
  left_ -= count;
}

bool BodyReader::is_whole() const {
  return chunks_ ? chunks_->is_whole() : left_ == 0;
}

std::string BodyReader::take() {
  return chunks_ ? chunks_->take() : std::move(body_);
}

}  // namespace penstock::serve
