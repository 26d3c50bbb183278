#include "efficientnet/architecture.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "penstock/params.h"

namespace penstock::efficientnet {
namespace {

const std::vector<std::string>& base_blocks() {
  static const std::vector<std::string> texts = {
      "r1_k3_s1_e1_i32_o16",  "r2_k3_s2_e6_i16_o24",  "r2_k5_s2_e6_i24_o40",
      "r3_k3_s2_e6_i40_o80",  "r3_k5_s1_e6_i80_o112", "r4_k5_s2_e6_i112_o192",
      "r1_k3_s1_e6_i192_o320"};
  return texts;
}

struct Scale {
  const char* variant;
  double width, depth;
};
constexpr std::array kScales{Scale{"lite0", 1.0, 1.0}, Scale{"lite1", 1.0, 1.1},
                             Scale{"lite2", 1.1, 1.2}, Scale{"lite3", 1.2, 1.4},
                             Scale{"lite4", 1.4, 1.8}};

/// The names of efficientnet_lite_pytorch.
std::map<std::string, std::string> default_names() {
  return {{"stem.conv", "_conv_stem"},
          {"stem.norm", "_bn0"},
          {"expand.conv", "_blocks.{i}._expand_conv"},
          {"expand.norm", "_blocks.{i}._bn0"},
          {"depthwise.conv", "_blocks.{i}._depthwise_conv"},
          {"depthwise.norm", "_blocks.{i}._bn1"},
          {"project.conv", "_blocks.{i}._project_conv"},
          {"project.norm", "_blocks.{i}._bn2"},
          // The same where a block does not widen.
          {"plain.depthwise.conv", "_blocks.{i}._depthwise_conv"},
          {"plain.depthwise.norm", "_blocks.{i}._bn1"},
          {"plain.project.conv", "_blocks.{i}._project_conv"},
          {"plain.project.norm", "_blocks.{i}._bn2"},
          {"head.conv", "_conv_head"},
          {"head.norm", "_bn1"},
          {"classifier", "_fc"}};
}

[[noreturn]] void refuse(const std::string& text) {
  throw Error(Code::kData,
              str("blocks: '", text,
                  "' is not understood; expected a text such as "
                  "r2_k5_s2_e6_i24_o40: repeats, kernel (1, 3, 5, 7), stride "
                  "(1, 2), expansion, channels in and out"));
}

/// The six numbers after r, k, s, e, i and o.
std::array<std::int64_t, 6> numbers_of(const std::string& text) {
  constexpr std::string_view kLetters = "rkseio";
  std::array<std::int64_t, 6> numbers{};
  const char* at = text.data();
  const char* end = at + text.size();
  for (std::size_t i = 0; i < kLetters.size(); ++i) {
    const bool has_dash = i == 0 || (at != end && *at++ == '_');
    if (!has_dash || at == end || *at++ != kLetters[i]) refuse(text);
    const auto [stop, error] = std::from_chars(at, end, numbers.at(i));
    constexpr std::int64_t kMost = 1 << 16;
    if (error != std::errc() || numbers.at(i) < 1 || numbers.at(i) > kMost) {
      refuse(text);
    }
    at = stop;
  }
  if (at != end) refuse(text);
  return numbers;
}

/// A multiple of 8, never more than a tenth below.
std::int64_t scaled_channels(std::int64_t channels, double width) {
  const double wanted = static_cast<double>(channels) * width;
  auto rounded =
      std::max<std::int64_t>(8, static_cast<std::int64_t>(wanted + 4) / 8 * 8);
  if (static_cast<double>(rounded) < 0.9 * wanted) rounded += 8;
  return rounded;
}

std::vector<std::string> scaled(const Scale& scale) {
  std::vector<std::string> texts;
  const auto& base = base_blocks();
  for (std::size_t i = 0; i < base.size(); ++i) {
    auto n = numbers_of(base[i]);
    const bool is_end = i == 0 || i + 1 == base.size();
    if (!is_end) {
      n[0] = static_cast<std::int64_t>(
          std::ceil(static_cast<double>(n[0]) * scale.depth));
    }
    if (i > 0) n[4] = scaled_channels(n[4], scale.width);
    n[5] = scaled_channels(n[5], scale.width);
    texts.push_back(str("r", n[0], "_k", n[1], "_s", n[2], "_e", n[3], "_i",
                        n[4], "_o", n[5]));
  }
  return texts;
}

}  // namespace

const std::vector<std::string>& variants() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    out.reserve(std::size(kScales));
    for (const Scale& scale : kScales) out.emplace_back(scale.variant);
    return out;
  }();
  return names;
}

Architecture architecture(const std::string& variant) {
  Architecture out;
  out.names = default_names();
  for (const Scale& scale : kScales) {
    if (variant == scale.variant) out.blocks = parse_blocks(scaled(scale));
  }
  return out;
}

std::vector<Block> parse_blocks(const std::vector<std::string>& texts) {
  std::vector<Block> blocks;
  for (const std::string& text : texts) {
    const auto [repeats, kernel, stride, expand, in, out] = numbers_of(text);
    if (kernel % 2 == 0 || kernel > 7 || stride > 2) refuse(text);
    if (!blocks.empty() && blocks.back().out != in) {
      throw Error(Code::kData, str("blocks: '", text, "' takes ", in,
                                   " channels, the one before it gives ",
                                   blocks.back().out));
    }
    constexpr std::size_t kMostBlocks = 1000;
    if (static_cast<std::size_t>(repeats) > kMostBlocks - blocks.size()) {
      throw Error(Code::kData, "blocks: more than 1000");
    }
    blocks.push_back({.kernel = kernel,
                      .stride = stride,
                      .expand = expand,
                      .in = in,
                      .out = out});
    for (std::int64_t i = 1; i < repeats; ++i) {
      blocks.push_back({.kernel = kernel,
                        .stride = 1,
                        .expand = expand,
                        .in = out,
                        .out = out});
    }
  }
  return blocks;
}

void rename(Architecture& architecture, const std::vector<std::string>& texts) {
  std::vector<std::string> known;
  for (const auto& [word, name] : architecture.names) known.push_back(word);
  for (const std::string& text : texts) {
    const auto at = text.find('=');
    const std::string word = text.substr(0, at);
    const auto found = architecture.names.find(word);
    if (at == std::string::npos || found == architecture.names.end()) {
      throw Error(Code::kData,
                  str("names: '", text,
                      "' is not understood; expected word=name in the file, "
                      "such as stem.conv=features.0.0",
                      suggestion(word, known)));
    }
    found->second = text.substr(at + 1);
  }
}

Padding padding(const Architecture& architecture, std::int64_t size,
                std::int64_t kernel, std::int64_t stride) {
  if (!architecture.is_same_padding) {
    return {.before = kernel / 2, .after = kernel / 2};
  }
  const std::int64_t outs = (size + stride - 1) / stride;
  const std::int64_t total =
      std::max<std::int64_t>(0, (outs - 1) * stride + kernel - size);
  return {.before = total / 2, .after = total - total / 2};
}

}  // namespace penstock::efficientnet
