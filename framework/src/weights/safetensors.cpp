#include "weights/safetensors.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "penstock/error.h"
#include "penstock/json.h"
#include "weights/byte_reader.h"
#include "weights/gguf.h"

namespace penstock::weights {

namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::size_t kMaxShape = 8;  // dimensions
constexpr std::string_view kMetadata = "__metadata__";
// Two keys, a type, a shape and two offsets: what a tensor takes at most.
constexpr std::size_t kValuesEach = 6 + kMaxShape;

struct DataType {
  std::string_view name;
  std::int64_t bits;
  std::optional<WeightType> type = std::nullopt;
};

constexpr std::array kDataTypes = {
    DataType{"F32", 32, WeightType::kF32},
    DataType{"F16", 16, WeightType::kF16},
    DataType{"BF16", 16, WeightType::kBF16},
    DataType{"F64", 64},
    DataType{"I64", 64},
    DataType{"U64", 64},
    DataType{"C64", 64},
    DataType{"I32", 32},
    DataType{"U32", 32},
    DataType{"I16", 16},
    DataType{"U16", 16},
    DataType{"I8", 8},
    DataType{"U8", 8},
    DataType{"BOOL", 8},
    DataType{"F8_E4M3", 8},
    DataType{"F8_E5M2", 8},
    DataType{"F8_E8M0", 8},
    DataType{"F4", 4},
    DataType{"F6_E2M3", 6},
    DataType{"F6_E3M2", 6},
};

/// A tensor as the header describes it; offsets count from its end.
struct Entry {
  std::string name;
  std::vector<std::int64_t> shape;
  const DataType* type = nullptr;
  std::int64_t begin = 0, end = 0;
};

const DataType& read_type(const JsonView& view) {
  const std::string& name = view.text();
  for (const DataType& type : kDataTypes) {
    if (type.name == name) return type;
  }
  view.fail(str("is ", in_quotes(name),
                ", expected F32, F16, BF16 or another "
                "type of the format"));
}

std::vector<std::int64_t> read_shape(const JsonView& view) {
  std::vector<std::int64_t> shape;
  for (const JsonView& size : view.items()) {
    if (shape.size() == kMaxShape) {
      view.fail(str("has more than ", kMaxShape, " dimensions"));
    }
    shape.push_back(size.integer(0, std::numeric_limits<std::int64_t>::max()));
  }
  return shape;
}

/// Bytes of the numbers; fails on overflow.
std::int64_t bytes_of(const Entry& entry, const JsonView& view) {
  std::int64_t bits = entry.type->bits;
  for (const std::int64_t size : entry.shape) {
    if (__builtin_mul_overflow(bits, size, &bits)) {
      view.fail("has a shape of more than 2^63 bits");
    }
  }
  if (bits % 8 != 0) view.fail("ends within a byte");
  return bits / 8;
}

Entry read_entry(const std::string& name, const JsonView& view,
                 std::int64_t data_bytes) {
  if (name.empty() || name.size() > kMaxNameBytes) {
    view.fail(str("has a name of ", name.size(), " bytes, expected 1 to ",
                  kMaxNameBytes));
  }
  Entry entry{.name = name,
              .shape = read_shape(view.at("shape")),
              .type = &read_type(view.at("dtype"))};
  const auto offsets = view.at("data_offsets").items();
  if (offsets.size() != 2) {
    view.fail(str("has ", offsets.size(), " data_offsets, expected 2"));
  }
  entry.begin = offsets[0].integer(0, data_bytes);
  entry.end = offsets[1].integer(entry.begin, data_bytes);
  const std::int64_t needed = bytes_of(entry, view);
  if (entry.end - entry.begin != needed) {
    view.fail(str("has ", entry.end - entry.begin,
                  " bytes of data, its shape "
                  "takes ",
                  needed));
  }
  return entry;
}

/// The format leaves no byte unused and uses none twice.
void check_layout(const std::vector<Entry>& entries, std::string_view file,
                  std::int64_t data_bytes) {
  std::int64_t at = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != at) {
      throw Error(
          Code::kData,
          str(file, ": tensor ", in_quotes(entry.name), " begins at byte ",
              entry.begin, " of the data, ",
              entry.begin < at ? "within the tensor before it, which ends at "
                               : "behind a gap after byte ",
              at));
    }
    at = entry.end;
  }
  if (at != data_bytes) {
    throw Error(Code::kData, str(file, ": ", data_bytes - at,
                                 " bytes behind the last tensor belong to "
                                 "none"));
  }
}

std::uint64_t header_length(std::span<const std::byte> bytes,
                            std::string_view file) {
  constexpr auto kAdvice = "; download the file again";
  if (bytes.size() < kLengthBytes) {
    throw Error(Code::kData, str(file, ": the file is cut short: it has ",
                                 bytes.size(), " bytes", kAdvice));
  }
  const auto length = load<std::uint64_t>(bytes.data());
  if (length > kMaxHeaderBytes) {
    throw Error(Code::kData,
                str(file, ": a header of ", length, " bytes, expected at most ",
                    kMaxHeaderBytes, kAdvice));
  }
  if (length > bytes.size() - kLengthBytes) {
    throw Error(
        Code::kData,
        str(file, ": the file is cut short: its header takes ", length,
            " bytes, ", bytes.size() - kLengthBytes, " are left", kAdvice));
  }
  return length;
}

}  // namespace

bool looks_like_safetensors(std::span<const std::byte> bytes) {
  return bytes.size() > kLengthBytes &&
         load<std::uint64_t>(bytes.data()) <= kMaxHeaderBytes &&
         bytes[kLengthBytes] == std::byte{'{'};
}

namespace {

/// The tensors of the header in the order of their bytes.
std::vector<Entry> read_entries(const JsonValue& header, std::string_view file,
                                std::int64_t data_bytes) {
  std::vector<Entry> entries;
  for (const auto& [name, view] :
       JsonView(header, std::string(file)).members()) {
    if (name == kMetadata) continue;
    if (entries.size() == kMaxTensors) {
      view.fail(str("is one of more than ", kMaxTensors, " tensors"));
    }
    entries.push_back(read_entry(name, view, data_bytes));
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  check_layout(entries, file, data_bytes);
  return entries;
}

}  // namespace

SafetensorsFile parse_safetensors(std::span<const std::byte> bytes,
                                  std::string_view file) {
  const auto length = header_length(bytes, file);
  const std::string_view header(
      reinterpret_cast<const char*>(bytes.data() + kLengthBytes), length);
  const auto data = bytes.subspan(kLengthBytes + length);
  const auto data_bytes = static_cast<std::int64_t>(data.size());
  const JsonValue parsed = parse_json(header, file,
                                      {.bytes = kMaxHeaderBytes,
                                       .depth = 4,
                                       .values = kMaxTensors * kValuesEach});

  SafetensorsFile result;
  for (Entry& entry : read_entries(parsed, file, data_bytes)) {
    if (!entry.type->type) {
      result.others.push_back(
          {std::move(entry.name), std::string(entry.type->name)});
      continue;
    }
    result.tensors.push_back(
        {.name = std::move(entry.name),
         .type = *entry.type->type,
         .shape = std::move(entry.shape),
         .data =
             data.subspan(static_cast<std::size_t>(entry.begin),
                          static_cast<std::size_t>(entry.end - entry.begin))});
  }
  return result;
}

}  // namespace penstock::weights
