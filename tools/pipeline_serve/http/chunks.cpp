#include "pipeline_serve/http/chunks.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "penstock/error.h"
#include "pipeline_serve/http/message.h"

namespace penstock::serve {
namespace {

/// A size with its extensions.
constexpr std::size_t kMostLine = 256;
constexpr std::size_t kMostTrailer = std::size_t{8} << 10U;

/// The line that `bytes` begins with; nothing where its end has not come.
std::optional<std::string_view> take_line(std::string_view& bytes,
                                          std::size_t most) {
  const auto end = bytes.find("\r\n");
  if (std::min(end, bytes.size()) > most) {
    throw http_error(400, "a line between the chunks is too long");
  }
  if (end == std::string_view::npos) return {};
  const auto line = bytes.substr(0, end);
  bytes.remove_prefix(end + 2);
  return line;
}

}  // namespace

void ChunkReader::read(std::string& bytes) {
  std::string_view rest = bytes;
  while (step(rest)) {
  }
  bytes.erase(0, bytes.size() - rest.size());
}

/// False where more bytes are needed, or none.
bool ChunkReader::step(std::string_view& bytes) {
  switch (part_) {
    case Part::kSize: {
      const auto line = take_line(bytes, kMostLine);
      if (line) take_size(*line);
      return line.has_value();
    }
    case Part::kData:
      return take_data(bytes);
    case Part::kDataEnd:
      if (bytes.size() < 2) return false;
      if (!bytes.starts_with("\r\n")) {
        throw http_error(400, "a chunk is longer than its size");
      }
      bytes.remove_prefix(2);
      part_ = Part::kSize;
      return true;
    case Part::kTrailer: {
      const auto line = take_line(bytes, kMostTrailer);
      if (!line) return false;
      trailer_ += line->size();
      if (trailer_ > kMostTrailer)
        throw http_error(431, "the trailer is too long");
      if (line->empty()) part_ = Part::kWhole;
      return true;
    }
    case Part::kWhole:
      break;
  }
  return false;
}

bool ChunkReader::take_data(std::string_view& bytes) {
  const std::size_t count = std::min(left_, bytes.size());
  body_.append(bytes.substr(0, count));
  bytes.remove_prefix(count);
  left_ -= count;
  if (left_ == 0) part_ = Part::kDataEnd;
  return left_ == 0;
}

void ChunkReader::take_size(std::string_view line) {
  const auto digits = line.substr(0, line.find(';'));
  // Some clients pad the size; no other blank is one.
  const auto size_text = digits.substr(0, digits.find_last_not_of(" \t") + 1);
  std::size_t size = 0;
  const auto [end, problem] = std::from_chars(
      size_text.data(), size_text.data() + size_text.size(), size, 16);
  if (size_text.empty() || size_text[0] == '-' || problem != std::errc() ||
      end != size_text.data() + size_text.size()) {
    throw http_error(400, "a chunk's size is no hexadecimal number");
  }
  if (size > most_ - body_.size()) {
    throw http_error(413, str("the body is longer than ", most_, " bytes"));
  }
  left_ = size;
  part_ = size == 0 ? Part::kTrailer : Part::kData;
}

}  // namespace penstock::serve
