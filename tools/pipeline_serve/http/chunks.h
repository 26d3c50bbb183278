// A chunked body (RFC 9112, section 7.1), read strictly. Our own, since Beast
// takes "0x5" for the size 0: two programs that read a size in two ways are how
// a request is smuggled past a proxy.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace penstock::serve {

class ChunkReader {
 public:
  /// `most`: bytes of the body.
  explicit ChunkReader(std::size_t most) : most_(most) {}

  /// Takes what belongs to the body off the front of `bytes`. Throws HttpError
  /// 400 or 413.
  void read(std::string& bytes);
  [[nodiscard]] bool is_whole() const { return part_ == Part::kWhole; }
  [[nodiscard]] std::string take() { return std::move(body_); }

 private:
  enum class Part { kSize, kData, kDataEnd, kTrailer, kWhole };
  bool step(std::string_view& bytes);
  bool take_data(std::string_view& bytes);
  void take_size(std::string_view line);

  std::size_t most_, left_ = 0, trailer_ = 0;
  Part part_ = Part::kSize;
  std::string body_;
};

}  // namespace penstock::serve
