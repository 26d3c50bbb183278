#include "lib/media/extent.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::media {
namespace {

/// Chunks looked at before giving up: films in many fragments stay quick.
constexpr int kMostChunks = 10000;
/// Programs that write WAV to a pipe leave 0, or about the largest number.
constexpr std::uint64_t kOpen = 0x7FFF0000;
constexpr std::uint64_t kAll32 = UINT32_MAX;

enum class Order { kLittle, kBig };

class Bytes {
 public:
  explicit Bytes(const ByteSource& source) : source_(source) {}
  [[nodiscard]] std::int64_t size() const { return source_.size(); }

  /// The number at `at`; nothing: the file ends before.
  [[nodiscard]] std::optional<std::uint64_t> number(std::int64_t at,
                                                    std::size_t width,
                                                    Order order) const {
    std::array<std::uint8_t, 8> raw{};
    if (!read(at, raw.data(), width)) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      value = value << 8U | raw.at(order == Order::kBig ? i : width - 1 - i);
    }
    return value;
  }
  [[nodiscard]] bool has(std::int64_t at, std::string_view text) const {
    std::array<std::uint8_t, 16> raw{};
    return read(at, raw.data(), text.size()) &&
           std::equal(text.begin(), text.end(), raw.begin(), is_same);
  }
  [[nodiscard]] Extent up_to(std::int64_t end) const {
    return end > size() ? Extent::kCut : Extent::kWhole;
  }

 private:
  static bool is_same(char a, std::uint8_t b) {
    return static_cast<std::uint8_t>(a) == b;
  }
  bool read(std::int64_t at, std::uint8_t* to, std::size_t width) const {
    if (at < 0 || at > size()) return false;
    return source_.read(at, to, width) == static_cast<std::int64_t>(width);
  }
  const ByteSource& source_;
};

/// The end of a chunk whose contents begin at `begin`; no file is that large
/// where the sum would not fit.
std::int64_t end_of(std::int64_t begin, std::uint64_t size) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62U;
  return begin + static_cast<std::int64_t>(std::min(size, kMost));
}

/// How a family of containers writes its chunks: name, size, contents.
struct Chunks {
  std::int64_t first;  ///< where the first one begins
  std::size_t name;    ///< bytes of a name
  std::size_t width;   ///< of a size
  Order order;
  std::int64_t counted;     ///< bytes of the head that the size counts
  std::int64_t unit;        ///< they begin at multiples of it
  std::string_view wanted;  ///< the one that holds sound or pictures
  std::string_view kind;    ///< with which its contents begin
  std::uint64_t open;       ///< sizes from here on: the writer did not know
};
constexpr Chunks kWav{12, 4, 4, Order::kLittle, 0, 2, "data", "", kOpen};
constexpr Chunks kAvi{12, 4, 4, Order::kLittle, 0, 2, "LIST", "movi", kAll32};
constexpr Chunks kAiff{12, 4, 4, Order::kBig, 0, 2, "SSND", "", kAll32};
constexpr Chunks kCaf{8, 4, 8, Order::kBig, 0, 1, "data", "", UINT64_MAX};
constexpr Chunks kW64{
    40, 16, 8, Order::kLittle, 24, 8, "data\xF3\xAC\xD3\x11", "", UINT64_MAX};

Extent of_chunks(const Bytes& bytes, const Chunks& how) {
  std::int64_t at = how.first;
  const auto name = static_cast<std::int64_t>(how.name);
  const auto head = name + static_cast<std::int64_t>(how.width);
  for (int i = 0; i < kMostChunks; ++i) {
    const auto size = bytes.number(at + name, how.width, how.order);
    if (!size) break;
    const std::int64_t end = end_of(at + head - how.counted, *size);
    if (bytes.has(at, how.wanted) && bytes.has(at + head, how.kind)) {
      return *size == 0 || *size >= how.open ? Extent::kWhole
                                             : bytes.up_to(end);
    }
    if (end < at + head) break;
    at = (end + how.unit - 1) / how.unit * how.unit;
  }
  return Extent::kUnknown;
}

/// WAV beyond 4 GiB: its size stands in a chunk of its own.
Extent of_rf64(const Bytes& bytes) {
  const auto size = bytes.number(20, 8, Order::kLittle);
  if (!bytes.has(12, "ds64") || !size) return Extent::kUnknown;
  return bytes.up_to(end_of(8, *size));
}

Extent of_au(const Bytes& bytes) {
  const auto begin = bytes.number(4, 4, Order::kBig);
  const auto size = bytes.number(8, 4, Order::kBig);
  if (!begin || !size || *size == UINT32_MAX) return Extent::kUnknown;
  return bytes.up_to(end_of(static_cast<std::int64_t>(*begin), *size));
}

struct Vint {
  std::uint64_t value = 0;
  std::int64_t width = 0;
  bool is_open = false;
};

/// A size as EBML writes it: zeros before its first 1 say how long it is.
std::optional<Vint> vint(const Bytes& bytes, std::int64_t at) {
  const auto first = bytes.number(at, 1, Order::kBig);
  if (!first || *first == 0) return std::nullopt;
  std::size_t width = 1;
  while ((*first << (width - 1) & 0x80U) == 0) ++width;
  const auto whole = bytes.number(at, width, Order::kBig);
  if (!whole) return std::nullopt;
  const std::uint64_t mask = (std::uint64_t{1} << 7 * width) - 1;
  return Vint{.value = *whole & mask,
              .width = static_cast<std::int64_t>(width),
              .is_open = (*whole & mask) == mask};
}

Extent of_matroska(const Bytes& bytes) {
  const auto head = vint(bytes, 4);
  if (!head) return Extent::kUnknown;
  const std::int64_t segment = end_of(4 + head->width, head->value);
  const auto size = vint(bytes, segment + 4);
  const bool is_segment = bytes.has(segment, "\x18\x53\x80\x67");
  if (!is_segment || !size || size->is_open) return Extent::kUnknown;
  return bytes.up_to(end_of(segment + 4 + size->width, size->value));
}

constexpr std::array<std::string_view, 3> kNeeded = {"moov", "mdat", "moof"};
constexpr std::array<std::string_view, 4> kOthers = {"ftyp", "wide", "free",
                                                     "skip"};

template <std::size_t n>
bool is_box(const Bytes& bytes, std::int64_t at,
            const std::array<std::string_view, n>& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](auto name) { return bytes.has(at + 4, name); });
}

Extent of_mp4(const Bytes& bytes) {
  std::int64_t at = 0;
  for (int i = 0; i < kMostChunks; ++i) {
    auto size = bytes.number(at, 4, Order::kBig);
    if (size == 1U) size = bytes.number(at + 8, 8, Order::kBig);
    // 0: up to the end. What follows the last box is no box.
    if (!size || *size < 8) return Extent::kWhole;
    const std::int64_t end = end_of(at, *size);
    if (end > bytes.size()) {
      return is_box(bytes, at, kNeeded) ? Extent::kCut : Extent::kWhole;
    }
    at = end;
  }
  return Extent::kUnknown;
}

/// The last page that begins must end; a boundary between pages shows nothing.
Extent of_ogg(const ByteSource& source) {
  constexpr std::size_t kHead = 27;
  constexpr std::size_t kLongest = kHead + 255 + 255 * 255;
  std::string tail(kLongest, '\0');
  const std::int64_t from =
      std::max<std::int64_t>(0, source.size() - std::int64_t{kLongest});
  auto* to = reinterpret_cast<std::uint8_t*>(tail.data());
  const std::int64_t got = source.read(from, to, tail.size());
  tail.resize(static_cast<std::size_t>(std::max<std::int64_t>(0, got)));
  const std::size_t page = tail.rfind("OggS");
  if (page == std::string::npos) return Extent::kUnknown;
  if (page + kHead > tail.size()) return Extent::kCut;
  const auto byte = [&](std::size_t at) {
    return static_cast<std::size_t>(static_cast<unsigned char>(tail[at]));
  };
  const std::size_t parts = byte(page + kHead - 1);
  std::size_t end = page + kHead + parts;
  for (std::size_t i = 0; i < parts && end <= tail.size(); ++i) {
    end += byte(page + kHead + i);
  }
  return end > tail.size() ? Extent::kCut : Extent::kUnknown;
}

}  // namespace

Extent extent_of(const ByteSource& source) {
  const Bytes bytes(source);
  const bool is_riff = bytes.has(0, "RIFF");
  if (is_riff && bytes.has(8, "WAVE")) return of_chunks(bytes, kWav);
  if (is_riff && bytes.has(8, "AVI ")) return of_chunks(bytes, kAvi);
  if (bytes.has(0, "RF64") || bytes.has(0, "BW64")) return of_rf64(bytes);
  if (bytes.has(0, "FORM") && bytes.has(8, "AIF")) {
    return of_chunks(bytes, kAiff);
  }
  if (bytes.has(0, "caff")) return of_chunks(bytes, kCaf);
  if (bytes.has(0, "riff\x2E\x91\xCF\x11")) return of_chunks(bytes, kW64);
  if (bytes.has(0, ".snd")) return of_au(bytes);
  if (bytes.has(0, "OggS")) return of_ogg(source);
  if (bytes.has(0, "\x1A\x45\xDF\xA3")) return of_matroska(bytes);
  const bool is_mp4 = is_box(bytes, 0, kNeeded) || is_box(bytes, 0, kOthers);
  return is_mp4 ? of_mp4(bytes) : Extent::kUnknown;
}

}  // namespace penstock::media
