#include "pipeline_serve/http/body.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <utility>

namespace penstock::serve {
namespace {

namespace http = boost::beast::http;

/// A chunk's size and extensions, or a trailer, at most.
constexpr std::size_t kMostFraming = std::size_t{8} << 10U;

HttpError refuse(int status, std::string message) {
  HttpError error;
  error.status = status;
  error.message = std::move(message);
  return error;
}

HttpError too_large(std::size_t most) {
  return refuse(413, str("the body is longer than ", most, " bytes"));
}

}  // namespace

/// Beast reads chunks; the head before them was read already, and is one that
/// cannot be misunderstood.
struct BodyReader::Chunks {
  http::request_parser<http::string_body> parser;

  explicit Chunks(std::size_t most) {
    parser.body_limit(most);
    parser.header_limit(kMostFraming);
    parser.eager(true);
    static const std::string head =
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    boost::beast::error_code problem;
    (void)parser.put(boost::asio::buffer(head), problem);
  }
};

BodyReader::BodyReader(const Head& head, std::size_t most) : most_(most) {
  if (head.is_chunked) {
    chunks_ = std::make_unique<Chunks>(most);
    return;
  }
  if (head.length.value_or(0) > most) throw too_large(most);
  left_ = static_cast<std::size_t>(head.length.value_or(0));
}

BodyReader::~BodyReader() = default;

void BodyReader::read(std::string& bytes) {
  if (!chunks_) {
    const std::size_t count = std::min(left_, bytes.size());
    if (body_.empty() && count == bytes.size()) {
      body_ = std::exchange(bytes, {});
    } else {
      body_.append(bytes, 0, count);
      bytes.erase(0, count);
    }
    left_ -= count;
    return;
  }
  while (!bytes.empty() && !chunks_->parser.is_done()) {
    boost::beast::error_code problem;
    const std::size_t taken =
        chunks_->parser.put(boost::asio::buffer(bytes), problem);
    bytes.erase(0, taken);
    if (problem == http::error::need_more) {
      if (bytes.size() > kMostFraming) {
        throw refuse(400, "a chunk's size line is too long");
      }
      return;
    }
    if (problem == http::error::body_limit) throw too_large(most_);
    if (problem) throw refuse(400, "the chunks of the body are broken");
  }
}

bool BodyReader::is_whole() const {
  return chunks_ ? chunks_->parser.is_done() : left_ == 0;
}

std::string BodyReader::take() {
  return chunks_ ? std::move(chunks_->parser.get().body()) : std::move(body_);
}

}  // namespace penstock::serve
