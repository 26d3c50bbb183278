#include "heads/wire.h"

#include "penstock/error.h"

namespace penstock::heads {

void Source::fail(const std::string& problem, const char* at) const {
  throw Error(Code::kData,
              str(name, ": ", problem, ", at byte ", at - bytes.data(),
                  "; the file is damaged or cut off: export or fetch it "
                  "again"));
}

std::optional<std::uint64_t> take_varint(std::string_view& rest) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64 && !rest.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 127U) << shift;
    if (byte < 128) return value;
  }
  return std::nullopt;
}

std::uint64_t Fields::varint() {
  const char* const begin = rest_.data();
  if (const auto value = take_varint(rest_)) return *value;
  source_.fail(
      rest_.empty() ? "it ends within a number" : "a number has no end", begin);
}

std::string_view Fields::take(std::uint64_t count) {
  if (count > rest_.size()) {
    source_.fail(
        str("a field takes ", count, " bytes, ", rest_.size(), " are left"),
        rest_.data());
  }
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

bool Fields::next() {
  if (rest_.empty()) return false;
  const char* const begin = rest_.data();
  const std::uint64_t key = varint();
  number_ = key >> 3U;
  value_.reset();
  bytes_.reset();
  if (number_ == 0) source_.fail("a field has no number", begin);
  switch (key & 7U) {
    case 0:
      value_ = varint();
      return true;
    case 1:
      (void)take(8);
      return true;
    case 2:
      bytes_ = take(varint());
      return true;
    case 5:
      (void)take(4);
      return true;
    default:
      source_.fail("a field is of no known type", begin);
  }
}

std::uint64_t Fields::value() const {
  if (!value_) {
    source_.fail(str("field ", number_, " is no number"), rest_.data());
  }
  return *value_;
}

std::string_view Fields::bytes() const {
  if (!bytes_) {
    source_.fail(str("field ", number_, " is a number, no text or message"),
                 rest_.data());
  }
  return *bytes_;
}

}  // namespace penstock::heads
