#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "penstock/error.h"
#include "penstock/weights.h"
#include "weights/blocks.h"
#include "weights/blocks_k.h"
#include "weights/byte_reader.h"
#include "weights/half.h"
#include "weights/sinks.h"

namespace penstock {

namespace {

// Decodes `blocks` blocks; returns whether all numbers in them are finite.
using Decode = bool (*)(weights::Bytes bytes, std::int64_t blocks, float* out);

template <class Block>
bool decode_blocks(weights::Bytes bytes, std::int64_t blocks,
                   float* out) {  // NOLINT(*-non-const-parameter)
  bool finite = true;
  const auto count = static_cast<std::size_t>(blocks);
  for (std::size_t i = 0; i < count; ++i) {
    weights::FloatSink sink{out + i * Block::kElements};
    finite &= Block::decode(bytes + i * Block::kBytes, sink);
  }
  return finite;
}

// The plain types: a block is one number, converted by `to_float`.
template <class Stored, class ToFloat>
bool decode_numbers(weights::Bytes bytes, std::int64_t count, float* out,
                    ToFloat to_float) {
  constexpr std::uint32_t kExponent = 0x7f800000U;
  std::uint32_t wrong = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    Stored stored;
    std::memcpy(&stored, bytes + i * static_cast<std::int64_t>(sizeof(Stored)),
                sizeof(Stored));
    out[i] = to_float(stored);
    const auto bits = std::bit_cast<std::uint32_t>(out[i]);
    wrong |= (bits & kExponent) == kExponent ? 1U : 0U;
  }
  return wrong == 0;
}

bool decode_f32(weights::Bytes bytes, std::int64_t n, float* out) {
  return decode_numbers<float>(bytes, n, out, [](float x) { return x; });
}

bool decode_f16(weights::Bytes bytes, std::int64_t n, float* out) {
  return decode_numbers<std::uint16_t>(bytes, n, out, weights::half_to_float);
}

bool decode_bf16(weights::Bytes bytes, std::int64_t n, float* out) {
  return decode_numbers<std::uint16_t>(bytes, n, out, weights::bf16_to_float);
}

template <class Block>
bool unpack_blocks(weights::Bytes bytes, std::int64_t blocks,
                   weights::CodeSink sink) {
  bool finite = true;
  const auto count = static_cast<std::size_t>(blocks);
  for (std::size_t i = 0; i < count; ++i) {
    finite &= Block::decode(bytes + i * Block::kBytes, sink);
  }
  return finite;
}

using Unpack = bool (*)(weights::Bytes bytes, std::int64_t blocks,
                        weights::CodeSink sink);

Unpack unpacker(WeightType type) {
  switch (type) {
    case WeightType::kQ8_0:
      return unpack_blocks<weights::Q8_0>;
    case WeightType::kQ4_0:
      return unpack_blocks<weights::Q4_0>;
    case WeightType::kQ4_1:
      return unpack_blocks<weights::Q4_1>;
    case WeightType::kQ5_0:
      return unpack_blocks<weights::Q5_0>;
    case WeightType::kQ5_1:
      return unpack_blocks<weights::Q5_1>;
    case WeightType::kQ2_K:
      return unpack_blocks<weights::Q2_K>;
    case WeightType::kQ3_K:
      return unpack_blocks<weights::Q3_K>;
    case WeightType::kQ4_K:
      return unpack_blocks<weights::Q4_K>;
    case WeightType::kQ5_K:
      return unpack_blocks<weights::Q5_K>;
    case WeightType::kQ6_K:
      return unpack_blocks<weights::Q6_K>;
    case WeightType::kIQ4_NL:
      return unpack_blocks<weights::IQ4_NL>;
    default:
      throw Error(Code::kInternal, str(to_string(type), " has no codes"));
  }
}

Decode decoder(WeightType type) {
  switch (type) {
    case WeightType::kF32:
      return decode_f32;
    case WeightType::kF16:
      return decode_f16;
    case WeightType::kBF16:
      return decode_bf16;
    case WeightType::kQ8_0:
      return decode_blocks<weights::Q8_0>;
    case WeightType::kQ4_0:
      return decode_blocks<weights::Q4_0>;
    case WeightType::kQ4_1:
      return decode_blocks<weights::Q4_1>;
    case WeightType::kQ5_0:
      return decode_blocks<weights::Q5_0>;
    case WeightType::kQ5_1:
      return decode_blocks<weights::Q5_1>;
    case WeightType::kQ2_K:
      return decode_blocks<weights::Q2_K>;
    case WeightType::kQ3_K:
      return decode_blocks<weights::Q3_K>;
    case WeightType::kQ4_K:
      return decode_blocks<weights::Q4_K>;
    case WeightType::kQ5_K:
      return decode_blocks<weights::Q5_K>;
    case WeightType::kQ6_K:
      return decode_blocks<weights::Q6_K>;
    case WeightType::kIQ4_NL:
      return decode_blocks<weights::IQ4_NL>;
  }
  throw Error(Code::kInternal, "a weight type that does not exist");
}

[[noreturn]] void fail(Code code, const WeightTensor& tensor,
                       const std::string& problem) {
  throw Error(code, str("tensor ", weights::in_quotes(tensor.name), " (",
                        to_string(tensor.type), "): ", problem));
}

[[noreturn]] void fail_row(const WeightTensor& tensor, std::int64_t row) {
  fail(Code::kData, tensor,
       str("row ", row, " holds a NaN or infinite ",
           weight_block(tensor.type).elements == 1 ? "number" : "scale",
           "; the file is damaged; fetch the model again: tools/models fetch "
           "NAME"));
}

// Bytes of a row, after checking that the caller's numbers fit together.
std::int64_t sequence_bytes(const WeightTensor& tensor, std::int64_t begin,
                            std::int64_t end, std::size_t out_size) {
  const auto block = weight_block(tensor.type);
  const auto columns = tensor.columns();
  const auto bytes = columns / block.elements * block.bytes;
  if (columns % block.elements != 0 ||
      std::cmp_not_equal(tensor.data.size(), bytes * tensor.rows())) {
    fail(Code::kInternal, tensor, "its data does not fit its shape");
  }
  if (begin < 0 || begin > end || end > tensor.rows()) {
    fail(
        Code::kInternal, tensor,
        str("rows ", begin, " to ", end, " asked for, it has ", tensor.rows()));
  }
  if (std::cmp_not_equal(out_size, (end - begin) * columns)) {
    fail(Code::kInternal, tensor,
         str("room for ", out_size, " numbers, ", (end - begin) * columns,
             " asked for"));
  }
  return bytes;
}

// A byte may be looked at through std::uint8_t: both are unsigned chars.
const std::uint8_t* row_start(const WeightTensor& tensor, std::int64_t row,
                              std::int64_t bytes) {
  return reinterpret_cast<const std::uint8_t*>(tensor.data.data()) +
         row * bytes;
}

}  // namespace

void dequantize(const WeightTensor& tensor, std::int64_t row_begin,
                std::int64_t row_end, std::span<float> out) {
  const auto bytes = sequence_bytes(tensor, row_begin, row_end, out.size());
  const auto decode = decoder(tensor.type);
  const auto columns = tensor.columns();
  const auto blocks = columns / weight_block(tensor.type).elements;
  for (auto row = row_begin; row < row_end; ++row) {
    if (!decode(row_start(tensor, row, bytes), blocks,
                out.data() + (row - row_begin) * columns)) {
      fail_row(tensor, row);
    }
  }
}

void dequantize_bf16(const WeightTensor& tensor, std::int64_t row_begin,
                     std::int64_t row_end, std::span<std::uint16_t> out) {
  constexpr std::int64_t kPart = 1024;  // a multiple of every block
  std::array<float, kPart> part{};
  const auto bytes = sequence_bytes(tensor, row_begin, row_end, out.size());
  const auto decode = decoder(tensor.type);
  const auto columns = tensor.columns();
  const auto block = weight_block(tensor.type);
  auto* to = out.data();
  for (auto row = row_begin; row < row_end; ++row) {
    const auto* from = row_start(tensor, row, bytes);
    for (std::int64_t done = 0; done < columns; done += kPart) {
      const auto count = std::min(kPart, columns - done);
      const auto blocks = count / block.elements;
      if (!decode(from, blocks, part.data())) fail_row(tensor, row);
      std::transform(part.begin(), part.begin() + count, to,
                     weights::float_to_bf16);
      from += blocks * block.bytes;
      to += count;
    }
  }
}

void unpack(const WeightTensor& tensor, std::int64_t row_begin,
            std::int64_t row_end, const WeightCodes& out) {
  const auto bytes =
      sequence_bytes(tensor, row_begin, row_end, out.codes.size());
  const auto unpack_row = unpacker(tensor.type);
  const auto groups = static_cast<std::int64_t>(out.codes.size()) /
                      weight_coding(tensor.type)->group;
  if (std::cmp_not_equal(out.scales.size(), groups) ||
      std::cmp_not_equal(out.minimums.size(), groups)) {
    fail(Code::kInternal, tensor,
         str("room for other than ", groups, " groups"));
  }
  const auto rows = std::max<std::int64_t>(1, row_end - row_begin);
  const auto columns = tensor.columns();
  const auto blocks = columns / weight_block(tensor.type).elements;
  for (auto row = row_begin; row < row_end; ++row) {
    const auto done = row - row_begin;
    const weights::CodeSink sink{
        .codes = out.codes.data() + done * columns,
        .scales = out.scales.data() + done * (groups / rows),
        .minimums = out.minimums.data() + done * (groups / rows)};
    if (!unpack_row(row_start(tensor, row, bytes), blocks, sink)) {
      fail_row(tensor, row);
    }
  }
}

}  // namespace penstock
