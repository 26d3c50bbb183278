// Weights of a program of torch.export: its runtime reads a record by the shape
// in the program and looks at no length, so that is done here.
#include <array>
#include <limits>

#include "base/quote.h"
#include "heads/formats.h"
#include "heads/pt2.h"
#include "penstock/error.h"

namespace penstock::heads {
namespace {

struct Dtype {
  std::int64_t number;
  std::string_view name;
  std::int64_t bytes;
};
/// torch._export.serde.schema.ScalarType
constexpr std::array<Dtype, 13> kDtypes{{{1, "u8", 1},
                                         {2, "i8", 1},
                                         {3, "i16", 2},
                                         {4, "i32", 4},
                                         {5, "i64", 8},
                                         {6, "f16", 2},
                                         {7, "f32", 4},
                                         {8, "f64", 8},
                                         {9, "complex32", 4},
                                         {10, "complex64", 8},
                                         {11, "complex128", 16},
                                         {12, "bool", 1},
                                         {13, "bf16", 2}}};

/// -1: not known.
std::int64_t bytes_of_dtype(std::int64_t number) {
  for (const Dtype& dtype : kDtypes) {
    if (dtype.number == number) return dtype.bytes;
  }
  return -1;
}

std::int64_t whole(const JsonView& number) {
  const auto value = number.find("as_int");
  if (!value) number.fail("is no number, which a weight must have");
  return value->integer(0, std::numeric_limits<std::int64_t>::max());
}

/// How many bytes of a record a tensor of that shape reads.
std::uint64_t bytes_needed(const JsonView& tensor) {
  constexpr auto kMost = static_cast<std::uint64_t>(kMostElements);
  const std::int64_t item = bytes_of_dtype(tensor.at("dtype").integer());
  if (item < 0) tensor.at("dtype").fail("is no dtype that is known here");
  const auto sizes = tensor.at("sizes").items();
  const auto strides = tensor.at("strides").items();
  if (sizes.size() != strides.size()) {
    tensor.fail("has not as many strides as dims");
  }
  auto last = static_cast<std::uint64_t>(whole(tensor.at("storage_offset")));
  bool is_empty = false;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto size = static_cast<std::uint64_t>(whole(sizes[i]));
    const auto stride = static_cast<std::uint64_t>(whole(strides[i]));
    is_empty = is_empty || size == 0;
    if (size > kMost || stride > kMost || last > kMost) {
      tensor.fail("takes more than 2^31 numbers");
    }
    if (size > 0) last += (size - 1) * stride;
  }
  if (is_empty) return 0;
  if (last >= kMost) tensor.fail("takes more than 2^31 numbers");
  return (last + 1) * static_cast<std::uint64_t>(item);
}

/// Where each weight lies, by the model's name for it.
class Records {
 public:
  Records(const Source& source, const Zip& zip) : source_(source), zip_(zip) {
    read("data/weights/", "data/weights/model_weights_config.json");
    read("data/constants/", "data/constants/model_constants_config.json");
  }

  void check(const std::string& name, const JsonView& tensor) const {
    const auto record = records_.find(name);
    if (record == records_.end()) {
      throw Error(Code::kData, str(source_.name, ": its weight ", shown(name),
                                   " is not there; save the model again"));
    }
    check(name, record->second, tensor);
  }

 private:
  void read(const std::string& folder, const std::string& config) {
    if (!zip_.has(config)) return;
    const std::string file = str(source_.name, ": ", config);
    const JsonValue json =
        parse_json(zip_.need(config), file, program_limits());
    for (const auto& [name, entry] :
         JsonView(json, file).at("config").members()) {
      const std::string path = folder + entry.at("path_name").text();
      const auto meta = entry.find("tensor_meta");
      const auto pickle = entry.find("use_pickle");
      if (!meta || (pickle && pickle->boolean())) {
        throw Error(Code::kData,
                    str(source_.name, ": its ", shown(name),
                        " is an object of Python, which can only be loaded by "
                        "Python; export a model of tensors alone"));
      }
      records_.emplace(name, path);
      check(name, path, *meta);
    }
  }

  void check(const std::string& name, const std::string& path,
             const JsonView& tensor) const {
    const std::uint64_t needed = bytes_needed(tensor);
    const std::uint64_t there = zip_.need(path).size();
    if (needed <= there) return;
    throw Error(Code::kData,
                str(source_.name, ": its weight ", shown(name), " takes ",
                    needed, " bytes, but ", path, " has ", there,
                    "; the file is damaged: save or fetch it again"));
  }

  const Source& source_;
  const Zip& zip_;
  std::map<std::string, std::string> records_;
};

}  // namespace

std::string torch_dtype(std::int64_t number) {
  for (const Dtype& dtype : kDtypes) {
    if (dtype.number == number) return std::string(dtype.name);
  }
  return str("dtype ", number);
}

void check_program_weights(const Source& source, const Zip& zip,
                           const JsonView& input_specs,
                           const JsonView& graph_values) {
  struct Kind {
    const char *spec, *name;
  };
  constexpr std::array<Kind, 3> kKinds{
      {{"parameter", "parameter_name"},
       {"buffer", "buffer_name"},
       {"tensor_constant", "tensor_constant_name"}}};
  const Records records(source, zip);
  for (const JsonView& spec : input_specs.items()) {
    if (spec.find("custom_obj")) {
      spec.fail("is an object of Python; export a model of tensors alone");
    }
    for (const Kind& kind : kKinds) {
      const auto weight = spec.find(kind.spec);
      if (!weight) continue;
      const std::string value = weight->at("arg").at("name").text();
      records.check(weight->at(kind.name).text(), graph_values.at(value));
    }
  }
}

}  // namespace penstock::heads
