#include "weights/byte_reader.h"

#include <algorithm>

#include "penstock/error.h"

namespace penstock::weights {

namespace {

constexpr std::size_t kMaxQuotedBytes = 80;

}  // namespace

std::string in_quotes(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "'";
  for (const char c : text.substr(0, kMaxQuotedBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out + (text.size() > kMaxQuotedBytes ? "...'" : "'");
}

ByteReader::ByteReader(std::span<const std::byte> bytes, std::string_view file,
                       std::uint64_t limit)
    : bytes_(bytes),
      file_(file),
      end_(std::min<std::uint64_t>(bytes.size(), limit)) {}

std::span<const std::byte> ByteReader::take(std::uint64_t count,
                                            std::string_view what) {
  if (count > left()) fail_short(count, what);
  const auto taken = bytes_.subspan(offset_, count);
  offset_ += count;
  return taken;
}

std::string_view ByteReader::text(std::string_view what) {
  const auto size = number<std::uint64_t>(what);
  const auto bytes = take(size, what);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::uint64_t ByteReader::count(std::uint64_t most, std::uint64_t least_bytes,
                                std::string_view what) {
  const auto where = offset_;
  const auto value = number<std::uint64_t>(what);
  if (value > most) {
    fail(where, str(what, " is ", value, ", at most ", most, " are read"));
  }
  if (value > left() / least_bytes) {
    fail(where, str(what, " is ", value, ", which cannot fit in the ", left(),
                    " bytes left"));
  }
  return value;
}

void ByteReader::fail(std::uint64_t where, const std::string& problem) const {
  const auto* const separator = subject_.empty() ? "" : ": ";
  throw Error(
      Code::kData,
      str(file_, ": ", subject_, separator, problem, ", at byte ", where,
          "; the file is damaged or made by another tool; fetch the "
          "model again: tools/models fetch NAME"));
}

void ByteReader::fail_short(std::uint64_t needed, std::string_view what) const {
  if (end_ < bytes_.size()) {
    fail(offset_, str(what, " takes ", needed, " bytes, but the header must ",
                      "end within ", end_, " bytes"));
  }
  fail(offset_, str("the file ends too early: ", what, " takes ", needed,
                    " bytes, ", left(), " are left of ", bytes_.size()));
}

}  // namespace penstock::weights
