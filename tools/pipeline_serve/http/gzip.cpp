#include "pipeline_serve/http/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "penstock/error.h"
#include "pipeline_serve/http/message.h"

namespace penstock::serve {
namespace {

/// Added to zlib's window bits: a gzip header is expected.
constexpr int kGzip = 16;

/// Unpacks one stream after another.
class Unpacker {
 public:
  Unpacker(std::string_view packed, int window_bits, std::size_t most)
      : most_(most) {
    if (packed.size() > std::numeric_limits<uInt>::max()) {
      throw http_error(413, "the body is too large");
    }
    // zlib does not write to what it reads.
    stream_.next_in =
        reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream_.avail_in = static_cast<uInt>(packed.size());
    if (inflateInit2(&stream_, window_bits) != Z_OK) {
      throw http_error(503, "there is no memory to unpack the body");
    }
  }
  ~Unpacker() { inflateEnd(&stream_); }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;

  std::string all() {
    std::string out;
    do {
      (void)inflateReset(&stream_);
      one(out);
    } while (stream_.avail_in > 0);
    return out;
  }

 private:
  void one(std::string& out) {
    int result = Z_OK;
    while (result != Z_STREAM_END) {
      stream_.next_out = block_.data();
      stream_.avail_out = static_cast<uInt>(block_.size());
      result = inflate(&stream_, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END) {
        throw http_error(400,
                         "the body is not packed as Content-Encoding says");
      }
      const std::size_t made = block_.size() - stream_.avail_out;
      if (made > most_ - out.size()) {
        throw http_error(
            413, str("the body is longer than ", most_, " bytes, unpacked"));
      }
      out.append(reinterpret_cast<const char*>(block_.data()), made);
    }
  }

  std::size_t most_;
  z_stream stream_{};
  std::array<Bytef, 1 << 16> block_{};
};

}  // namespace

std::string gunzip(std::string_view packed, std::size_t most) {
  return Unpacker(packed, MAX_WBITS + kGzip, most).all();
}

std::string unpacked(std::string_view coding, std::string packed,
                     std::size_t most) {
  if (coding.empty() || same_word(coding, "identity")) return packed;
  if (same_word(coding, "gzip") || same_word(coding, "x-gzip")) {
    return gunzip(packed, most);
  }
  if (same_word(coding, "deflate")) {
    return Unpacker(packed, MAX_WBITS, most).all();
  }
  throw http_error(415, "Content-Encoding: expected gzip, deflate or identity");
}

}  // namespace penstock::serve
