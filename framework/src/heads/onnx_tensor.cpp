#include "heads/onnx_tensor.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/quote.h"
#include "penstock/error.h"

namespace penstock::heads {
namespace {

constexpr std::uint64_t kInt64 = 7;
constexpr std::size_t kLongestShape = 16;  ///< numbers
constexpr std::size_t kMostDims = 64;

struct DataType {
  const char* word;
  int bits;  ///< of an element; 0: of no fixed length
};
/// In the order of TensorProto.DataType.
constexpr std::array<DataType, 24> kTypes{{
    {"undefined", 0},  {"f32", 32},     {"u8", 8},         {"i8", 8},
    {"u16", 16},       {"i16", 16},     {"i32", 32},       {"i64", 64},
    {"string", 0},     {"bool", 8},     {"f16", 16},       {"f64", 64},
    {"u32", 32},       {"u64", 64},     {"complex64", 64}, {"complex128", 128},
    {"bf16", 16},      {"f8e4m3fn", 8}, {"f8e4m3fnuz", 8}, {"f8e5m2", 8},
    {"f8e5m2fnuz", 8}, {"u4", 4},       {"i4", 4},         {"f4e2m1", 4},
}};

/// Where the data lies, as the file says.
struct Data {
  std::string_view raw;
  bool has_raw = false;
  std::uint64_t typed_bytes = 0;  ///< of float_data and its like
  bool is_external = false;
  std::string location;
  std::uint64_t offset = 0, length = 0;
};

std::uint64_t number_of(const Source& source, std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    source.fail(str("external data: ", shown(text), " is no number"),
                text.data());
  }
  return value;
}

void read_external(const Source& source, Fields entry, Data& data) {
  std::string_view key;
  std::string_view value;
  while (entry.next()) {
    if (entry.number() == 1) key = entry.bytes();
    if (entry.number() == 2) value = entry.bytes();
  }
  if (key == "location") data.location = value;
  if (key == "offset") data.offset = number_of(source, value);
  if (key == "length") data.length = number_of(source, value);
}

std::uint64_t bytes_of(const Fields& field) {
  return field.is_bytes() ? field.bytes().size() : sizeof(double);
}

/// The numbers of a shape, of int64_data.
void read_integers(const Source& source, const Fields& field,
                   OnnxTensor& tensor) {
  each_number(source, field, [&](std::int64_t value) {
    if (tensor.values.size() <= kLongestShape) tensor.values.push_back(value);
  });
}

void read_field(const Source& source, const Fields& field, OnnxTensor& tensor,
                Data& data) {
  switch (field.number()) {
    case 1:
      return each_number(source, field,
                         [&](std::int64_t dim) { tensor.dims.push_back(dim); });
    case 2:
      tensor.type = field.value();
      return;
    case 7:
      read_integers(source, field, tensor);
      [[fallthrough]];
    case 4:   // float_data
    case 5:   // int32_data
    case 6:   // string_data
    case 10:  // double_data
    case 11:  // uint64_data
      data.typed_bytes += bytes_of(field);
      return;
    case 8:
      tensor.name = field.text();
      return;
    case 9:
      data.raw = field.bytes();
      data.has_raw = true;
      return;
    case 13:
      return read_external(source, field.message(), data);
    case 14:
      data.is_external = field.value() == 1;
      return;
    default:
      return;
  }
}

[[noreturn]] void fail(const ModelHead& head, const OnnxTensor& tensor,
                       const std::string& problem) {
  throw Error(Code::kData, str(head.path.string(), ": tensor ",
                               shown(tensor.name), " ", problem));
}

std::string shape_text(const OnnxTensor& tensor) {
  std::string out;
  for (const auto dim : tensor.dims) out += str(out.empty() ? "" : ",", dim);
  return str(onnx_dtype(tensor.type), "[", out, "]");
}

int bits_of(const OnnxTensor& tensor) {
  return tensor.type < kTypes.size() ? kTypes.at(tensor.type).bits : 0;
}

/// Throws where the shape is none.
std::uint64_t elements_in(const ModelHead& head, const OnnxTensor& tensor) {
  if (tensor.dims.size() > kMostDims) {
    fail(head, tensor, str("has ", tensor.dims.size(), " dims"));
  }
  const std::int64_t elements = elements_of(tensor.dims);
  if (elements < 0) {
    fail(head, tensor,
         str("is ", shape_text(tensor), ", more than ", kMostElements,
             " elements"));
  }
  return static_cast<std::uint64_t>(elements);
}

void check_external(const Data& data, std::uint64_t needed,
                    const OnnxTensor& tensor, ModelHead& head) {
  const std::uint64_t length = data.length != 0 ? data.length : needed;
  if (length < needed || data.offset > UINT64_MAX - length) {
    fail(head, tensor,
         str("is ", shape_text(tensor), " and takes ", needed, " bytes, but ",
             length, " are said to be in ", shown(data.location)));
  }
  add_weight_file(head, data.location, data.offset + length);
}

void check_data(const Data& data, const OnnxTensor& tensor, ModelHead& head) {
  const std::uint64_t elements = elements_in(head, tensor);
  const auto bits = static_cast<std::uint64_t>(bits_of(tensor));
  const std::uint64_t needed = (elements * bits + 7) / 8;
  if (data.is_external) {
    check_external(data, needed, tensor, head);
  } else if (data.has_raw && bits > 0 && data.raw.size() != needed) {
    fail(head, tensor,
         str("is ", shape_text(tensor), " and takes ", needed, " bytes, but ",
             data.raw.size(), " are there"));
  } else if (!data.has_raw && elements / 2 > data.typed_bytes) {
    // Two 4-bit numbers share one of int32_data, which is a byte at least.
    fail(head, tensor,
         str("is ", shape_text(tensor), ", but holds ", data.typed_bytes,
             " bytes of data"));
  }
}

}  // namespace

std::string onnx_dtype(std::uint64_t type) {
  return type < kTypes.size() ? kTypes.at(type).word : str("type ", type);
}

OnnxTensor read_onnx_tensor(const Source& source, Fields fields,
                            ModelHead& head) {
  OnnxTensor tensor;
  Data data;
  while (fields.next()) read_field(source, fields, tensor, data);
  if (tensor.type == 8) return tensor;  // strings: each has its own length
  check_data(data, tensor, head);
  if (tensor.type != kInt64 || elements_of(tensor.dims) > 16) {
    tensor.values.clear();
  } else if (data.has_raw) {
    tensor.values.resize(data.raw.size() / sizeof(std::int64_t));
    std::memcpy(tensor.values.data(), data.raw.data(),
                tensor.values.size() * sizeof(std::int64_t));
  }
  return tensor;
}

}  // namespace penstock::heads
