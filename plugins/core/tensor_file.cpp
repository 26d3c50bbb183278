#include "core/tensor_file.h"

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

#include "penstock/error.h"

namespace penstock::core {
namespace {

struct DtypeNames {
  at::ScalarType dtype;
  const char* word;
  const char* npy;  ///< little endian
  const char* safetensors;
};
constexpr std::array<DtypeNames, 10> kDtypeNames{{
    {at::kDouble, "f64", "<f8", "F64"},
    {at::kFloat, "f32", "<f4", "F32"},
    {at::kHalf, "f16", "<f2", "F16"},
    {at::kBFloat16, "bf16", "<f4", "BF16"},
    {at::kLong, "i64", "<i8", "I64"},
    {at::kInt, "i32", "<i4", "I32"},
    {at::kShort, "i16", "<i2", "I16"},
    {at::kChar, "i8", "|i1", "I8"},
    {at::kByte, "u8", "|u1", "U8"},
    {at::kBool, "bool", "|b1", "BOOL"},
}};

const DtypeNames& names_of(at::ScalarType dtype) {
  for (const DtypeNames& names : kDtypeNames) {
    if (names.dtype == dtype) return names;
  }
  throw Error(Code::kData,
              str("a tensor of ", at::toString(dtype), " cannot be written"));
}

std::ofstream new_file(const std::filesystem::path& path) {
  std::ofstream file(path, std::ios::binary);
  if (!file) {
    throw Error(Code::kRetry, str("cannot write '", path.string(), "'"));
  }
  return file;
}

void put(std::ofstream& file, const at::Tensor& tensor) {
  const auto rows = tensor.contiguous();
  file.write(static_cast<const char*>(rows.const_data_ptr()),
             static_cast<std::streamsize>(rows.nbytes()));
}

void close(std::ofstream& file, const std::filesystem::path& path) {
  file.close();
  if (file) return;
  throw Error(Code::kRetry, str("cannot write '", path.string(),
                                "': is there room on the disk?"));
}

}  // namespace

std::string dtype_word(at::ScalarType dtype) { return names_of(dtype).word; }

void write_npy(const std::filesystem::path& path, const at::Tensor& tensor) {
  const at::Tensor values =
      tensor.scalar_type() == at::kBFloat16 ? tensor.to(at::kFloat) : tensor;
  std::string shape;
  for (const std::int64_t size : values.sizes()) shape += str(size, ", ");
  std::string header =
      str("{'descr': '", names_of(values.scalar_type()).npy,
          "', 'fortran_order': False, 'shape': (", shape, "), }");
  // The numbers begin at a multiple of 64 bytes, after 10 of prefix.
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::ofstream file = new_file(path);
  file.write("\x93NUMPY\x01\x00", 8);
  file.put(static_cast<char>(header.size() & 0xFFU));
  file.put(static_cast<char>(header.size() >> 8U));
  file << header;
  put(file, values);
  close(file, path);
}

void write_safetensors(const std::filesystem::path& path,
                       const Tensors& tensors) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  std::size_t begin = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::size_t end = begin + tensor.nbytes();
    header[name] = {{"dtype", names_of(tensor.scalar_type()).safetensors},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = header.dump(
      -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  while (text.size() % 8 != 0) text += ' ';
  std::ofstream file = new_file(path);
  for (unsigned shift = 0; shift < 64; shift += 8) {
    file.put(static_cast<char>((std::uint64_t{text.size()} >> shift) & 0xFFU));
  }
  file << text;
  for (const auto& [name, tensor] : tensors) put(file, tensor);
  close(file, path);
}

}  // namespace penstock::core
