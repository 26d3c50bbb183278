// The shape of an EfficientNet: a stem, stages of inverted bottlenecks, a head.
// As in "EfficientNet" (Tan and Le, 2019), table 1, with the Lite rules: stem
// and head are not scaled, no squeeze and excitation, ReLU6.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace penstock::efficientnet {

/// One inverted bottleneck: widen by `expand` (1: not at all), filter each
/// channel by a kernel of that size, narrow to `out` channels.
struct Block {
  std::int64_t kernel = 3, stride = 1, expand = 1, in = 0, out = 0;
  [[nodiscard]] std::int64_t wide() const { return in * expand; }
  [[nodiscard]] bool has_skip() const { return stride == 1 && in == out; }
  friend bool operator==(const Block&, const Block&) = default;
};

struct Architecture {
  std::int64_t stem = 32, head = 1280;
  std::vector<Block> blocks;
  double epsilon = 1e-3;  ///< of the batch norms
  /// TensorFlow's: the odd row of padding stands at the end; else the same at
  /// both ends, kernel / 2.
  bool is_same_padding = true;
  /// Where a weight stands in the file, by our word for it; {i} is the number
  /// of the block, {j} the one after it.
  std::map<std::string, std::string> names;
};

/// "lite0" to "lite4".
[[nodiscard]] const std::vector<std::string>& variants();
[[nodiscard]] Architecture architecture(const std::string& variant);

/// Blocks from texts such as "r2_k5_s2_e6_i24_o40": two blocks, the first with
/// stride 2 and 24 channels in. Throws Error(kData) saying which text is wrong.
[[nodiscard]] std::vector<Block> parse_blocks(
    const std::vector<std::string>& texts);

/// "word=pattern" texts over the given names; throws Error(kData) for an
/// unknown word.
void rename(Architecture& architecture, const std::vector<std::string>& texts);

/// How many rows of padding stand before an input of that size.
struct Padding {
  std::int64_t before = 0, after = 0;
};
[[nodiscard]] Padding padding(const Architecture& architecture,
                              std::int64_t size, std::int64_t kernel,
                              std::int64_t stride);

}  // namespace penstock::efficientnet
