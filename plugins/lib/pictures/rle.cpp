#include "lib/pictures/rle.h"

namespace penstock::pictures {

std::vector<std::int64_t> run_lengths(std::span<const std::uint8_t> values,
                                      std::int64_t height, std::int64_t width,
                                      std::uint8_t kind) {
  std::vector<std::int64_t> runs;
  bool is_kind = false;
  std::int64_t length = 0;
  for (std::int64_t x = 0; x < width; ++x) {
    for (std::int64_t y = 0; y < height; ++y) {
      const auto at = static_cast<std::size_t>(y * width + x);
      if ((values[at] == kind) != is_kind) {
        runs.push_back(length);
        is_kind = !is_kind;
        length = 0;
      }
      ++length;
    }
  }
  runs.push_back(length);
  return runs;
}

std::string coco_counts(std::span<const std::int64_t> runs) {
  std::string out;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    // From the fourth on each is told by what it differs from the one two
    // before it; five bits a letter, the lowest first, the sixth says that more
    // come.
    std::int64_t left = i > 2 ? runs[i] - runs[i - 2] : runs[i];
    for (bool has_more = true; has_more;) {
      std::int64_t bits = left & 0x1F;
      left >>= 5;
      has_more = (bits & 0x10) != 0 ? left != -1 : left != 0;
      if (has_more) bits |= 0x20;
      out += static_cast<char>(bits + 48);
    }
  }
  return out;
}

}  // namespace penstock::pictures
