// The GGUF parser on a good file cut at every byte, and with every single bit
// of its header flipped. Meant to be run under the sanitizers as well: a read
// outside the bytes given is a finding even when nothing is printed.

#include <gtest/gtest.h>

#include <algorithm>

#include "penstock/error.h"
#include "tests/framework/weights/gguf_builder.h"
#include "weights/gguf.h"

namespace penstock::weights {
namespace {

using testing::bytes_of;
using testing::GgufBuilder;

// Every kind of value and two tensors; the last byte is the last of a tensor.
GgufBuilder small_file() {
  return GgufBuilder()
      .text("general.architecture", "gemma3")
      .number<std::uint32_t>("general.alignment", 32)
      .number<std::int8_t>("i8", -1)
      .number<std::uint16_t>("u16", 512)
      .number<std::uint64_t>("u64", 1)
      .number("f32", 1e6F)
      .number("f64", 1e-6)
      .number("bool", true)
      .numbers<float>("scores", {0.0F, -1.0F})
      .numbers<std::int32_t>("types", {1, 3, 4})
      .texts("tokens", {"<pad>", "", "a"})
      .tensor(
          {.name = "norm", .dims = {4}, .data = bytes_of<float>({1, 2, 3, 4})})
      .tensor({.name = "embd",
               .dims = {32, 2},
               .type = 8,
               .data = std::vector<std::byte>(68, std::byte{1})});
}

// A copy on the heap of exactly this size: ASan sees a read past its end.
std::vector<std::byte> exactly(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

// Reads everything a caller could reach through the parsed views.
void touch_all(const GgufFile& file) {
  unsigned sum = 0;
  const auto add = [&](std::span<const std::byte> bytes) {
    for (const auto byte : bytes) sum += std::to_integer<unsigned>(byte);
  };
  for (const auto& entry : file.metadata) {
    add(std::as_bytes(std::span(entry.key.data(), entry.key.size())));
    add(entry.value.bytes);
    visit_numbers(entry.value,
                  [&](auto number) { sum += number != 0 ? 1U : 0U; });
  }
  for (const auto& tensor : file.tensors) add(tensor.data);
  volatile unsigned kept = sum;
  (void)kept;
}

TEST(GgufDamage, CutAnywhereIsRefusedAsData) {
  const auto whole = small_file().build();
  touch_all(parse_gguf(whole, "f"));

  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = exactly(std::span(whole).first(size));
    try {
      (void)parse_gguf(cut, "f");
      FAIL() << "read though cut to " << size << " of " << whole.size();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kData) << "cut to " << size;
    }
  }
}

TEST(GgufDamage, AnyFlippedHeaderBitIsRefusedOrReadSafely) {
  const auto whole = small_file().build();
  const auto header_bits = small_file().header().size() * 8;
  std::size_t refused = 0;

  for (std::size_t bit = 0; bit < header_bits; ++bit) {
    auto flipped = exactly(whole);
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    try {
      touch_all(parse_gguf(flipped, "f"));
    } catch (const Error& error) {
      ++refused;
      EXPECT_EQ(error.code(), Code::kData) << "bit " << bit;
    }
  }

  // Lengths, counts, types and offsets: more than a third of the header.
  EXPECT_GT(refused, header_bits / 3);
}

TEST(GgufDamage, AnyByteSetToAnExtremeIsRefusedOrReadSafely) {
  const auto whole = small_file().build();
  const auto header = small_file().header().size();

  for (std::size_t at = 0; at < header; ++at) {
    for (const auto value : {0x00, 0x7f, 0x80, 0xff}) {
      auto damaged = exactly(whole);
      damaged[at] = static_cast<std::byte>(value);
      try {
        touch_all(parse_gguf(damaged, "f"));
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kData) << "byte " << at;
      }
    }
  }
}

}  // namespace
}  // namespace penstock::weights
