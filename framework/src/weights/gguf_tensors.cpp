#include "weights/gguf_tensors.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "penstock/error.h"
#include "weights/gguf.h"

namespace penstock::weights {

namespace {

struct TypeCode {
  std::uint32_t code;  // ggml's number
  WeightType type;
};

constexpr std::array kTypeCodes = {
    TypeCode{0, WeightType::kF32},     TypeCode{1, WeightType::kF16},
    TypeCode{2, WeightType::kQ4_0},    TypeCode{3, WeightType::kQ4_1},
    TypeCode{6, WeightType::kQ5_0},    TypeCode{7, WeightType::kQ5_1},
    TypeCode{8, WeightType::kQ8_0},    TypeCode{10, WeightType::kQ2_K},
    TypeCode{11, WeightType::kQ3_K},   TypeCode{12, WeightType::kQ4_K},
    TypeCode{13, WeightType::kQ5_K},   TypeCode{14, WeightType::kQ6_K},
    TypeCode{20, WeightType::kIQ4_NL}, TypeCode{30, WeightType::kBF16},
};

// Types ggml knows and this reader does not, so that an error can name them.
constexpr std::array<std::string_view, 41> kOtherTypes = {
    "",      "",      "",        "",         "Q4_2",     "Q4_3",     "",
    "",      "",      "Q8_1",    "",         "",         "",         "",
    "",      "Q8_K",  "IQ2_XXS", "IQ2_XS",   "IQ3_XXS",  "IQ1_S",    "",
    "IQ3_S", "IQ2_S", "IQ4_XS",  "I8",       "I16",      "I32",      "I64",
    "F64",   "IQ1_M", "",        "Q4_0_4_4", "Q4_0_4_8", "Q4_0_8_8", "TQ1_0",
    "TQ2_0", "",      "",        "",         "MXFP4",    "NVFP4"};

// A description as read; offsets count from the start of the data section.
struct Description {
  WeightTensor tensor;
  std::uint64_t where = 0;  // of the description, for messages
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

std::string subject(const Description& description) {
  return "tensor " + in_quotes(description.tensor.name);
}

std::string read_name(ByteReader& reader, std::uint64_t index) {
  const auto where = reader.offset();
  reader.set_subject(str("tensor ", index));
  const auto name = reader.text("the name");
  if (name.empty() || name.size() > kMaxNameBytes) {
    reader.fail(where, str("a name of ", name.size(), " bytes, expected 1 to ",
                           kMaxNameBytes));
  }
  return std::string(name);
}

std::vector<std::int64_t> read_shape(ByteReader& reader) {
  const auto where = reader.offset();
  const auto rank = reader.number<std::uint32_t>("the number of dimensions");
  if (rank > kMaxRank) {
    reader.fail(where, str(rank, " dimensions, expected at most ", kMaxRank));
  }
  std::vector<std::int64_t> shape(rank);
  for (auto& size : shape) {
    const auto at = reader.offset();
    size = reader.number<std::int64_t>("a dimension");
    if (size <= 0) reader.fail(at, str("a dimension of ", size));
  }
  std::reverse(shape.begin(), shape.end());  // GGUF has the innermost first
  return shape;
}

WeightType read_type(ByteReader& reader) {
  const auto where = reader.offset();
  const auto code = reader.number<std::uint32_t>("the tensor type");
  for (const auto& known : kTypeCodes) {
    if (known.code == code) return known.type;
  }
  std::string names;
  for (const auto& known : kTypeCodes) {
    names += (names.empty() ? "" : ", ") + std::string(to_string(known.type));
  }
  const bool named = code < kOtherTypes.size() && !kOtherTypes[code].empty();
  reader.fail(where,
              str("type ",
                  named ? std::string(kOtherTypes[code]) : std::to_string(code),
                  " cannot be read, expected one of ", names));
}

// Bytes the shape takes; fails on overflow and on rows of broken blocks.
std::uint64_t data_size(const ByteReader& reader, const WeightTensor& tensor,
                        std::uint64_t where) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  std::int64_t elements = 1;
  for (const auto size : tensor.shape) {
    if (__builtin_mul_overflow(elements, size, &elements)) {
      reader.fail(where, "the dimensions multiply to more than 2^63");
    }
  }
  const auto block = weight_block(tensor.type);
  if (tensor.columns() % block.elements != 0) {
    reader.fail(where, str("rows of ", tensor.columns(), " numbers, expected ",
                           "a multiple of ", block.elements, " for ",
                           to_string(tensor.type)));
  }
  const auto blocks = elements / block.elements;
  if (blocks > kMost / block.bytes) {
    reader.fail(where, "the data would take more than 2^63 bytes");
  }
  return static_cast<std::uint64_t>(blocks * block.bytes);
}

Description read_description(ByteReader& reader, std::uint64_t index,
                             std::uint64_t alignment) {
  Description result;
  result.where = reader.offset();
  result.tensor.name = read_name(reader, index);
  reader.set_subject(subject(result));
  result.tensor.shape = read_shape(reader);
  result.tensor.type = read_type(reader);
  result.size = data_size(reader, result.tensor, result.where);
  const auto where = reader.offset();
  result.offset = reader.number<std::uint64_t>("the data offset");
  if (result.offset % alignment != 0) {
    reader.fail(where, str("data offset ", result.offset, ", expected a ",
                           "multiple of ", alignment));
  }
  return result;
}

// Gives every tensor its bytes, once all lie inside the file.
void place(ByteReader& reader, std::span<const std::byte> bytes,
           std::uint64_t start, std::vector<Description>& descriptions) {
  for (auto& description : descriptions) {
    std::uint64_t end = 0;
    reader.set_subject(subject(description));
    if (__builtin_add_overflow(start, description.offset, &end) ||
        __builtin_add_overflow(end, description.size, &end)) {
      reader.fail(description.where, "its data would end past 2^64");
    }
    if (end > bytes.size()) {
      reader.fail(description.where,
                  str("the file is cut short: it has ", bytes.size(),
                      " bytes, the tensor's data ends at ", end));
    }
    description.tensor.data =
        bytes.subspan(start + description.offset, description.size);
  }
}

void check_overlap(ByteReader& reader,
                   const std::vector<Description>& descriptions) {
  std::vector<const Description*> order;
  order.reserve(descriptions.size());
  for (const auto& description : descriptions) order.push_back(&description);
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return a->offset < b->offset; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (order[i]->offset - order[i - 1]->offset < order[i - 1]->size) {
      reader.set_subject(subject(*order[i]));
      reader.fail(order[i]->where,
                  "its data overlaps that of " + subject(*order[i - 1]));
    }
  }
}

}  // namespace

std::vector<WeightTensor> read_gguf_tensors(ByteReader& reader,
                                            std::span<const std::byte> bytes,
                                            std::uint64_t count,
                                            std::uint64_t alignment) {
  std::vector<Description> descriptions;
  std::set<std::string> seen;
  for (std::uint64_t i = 0; i < count; ++i) {
    descriptions.push_back(read_description(reader, i, alignment));
    if (!seen.insert(descriptions.back().tensor.name).second) {
      reader.fail(descriptions.back().where, "stands there twice");
    }
  }
  // Offset and alignment are both small: no overflow.
  const auto start = (reader.offset() + alignment - 1) / alignment * alignment;
  place(reader, bytes, start, descriptions);
  check_overlap(reader, descriptions);

  std::vector<WeightTensor> tensors;
  tensors.reserve(descriptions.size());
  for (auto& description : descriptions) {
    tensors.push_back(std::move(description.tensor));
  }
  return tensors;
}

}  // namespace penstock::weights
