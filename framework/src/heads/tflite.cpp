// TFLite: the first subgraph of schema.fbs, by the numbers of its fields.
#include <algorithm>
#include <array>

#include "heads/flat.h"
#include "heads/formats.h"
#include "penstock/error.h"

namespace penstock::heads {
namespace {

enum ModelField { kVersion, kOperatorCodes, kSubgraphs, kDescription };
enum SubgraphField { kTensors, kInputs, kOutputs };
enum TensorField { kShape, kType, kBuffer, kName, kShapeSignature = 7 };
enum OperatorField { kDeprecatedCode, kCustomCode, kOperatorVersion, kCode };

constexpr std::int32_t kCustom = 32;  ///< an operator that has a name

/// In the order of TensorType.
constexpr std::array<const char*, 20> kTypes{
    "f32",     "f16",       "i32", "u8",  "i64",        "string", "bool",
    "i16",     "complex64", "i8",  "f64", "complex128", "u64",    "resource",
    "variant", "u32",       "u16", "i4",  "bf16",       "i2"};

class Reader {
 public:
  Reader(const Source& source, ModelHead& head) : flat_(source), head_(head) {}

  void read() {
    const auto model = flat_.root();
    head_.version = str("schema ", flat_.value<std::uint32_t>(model, kVersion));
    if (head_.version != "schema 3") {
      throw Error(Code::kData, str(head_.path.string(), ": it has ",
                                   head_.version, "; only schema 3 is read"));
    }
    head_.made_by = std::string(flat_.text(model, kDescription));
    read_operators(model);
    const auto graphs = flat_.vector(model, kSubgraphs, 4);
    if (graphs.count == 0) flat_.fail("there is no graph in it");
    const auto graph = flat_.table(graphs, 0);
    tensors_ = flat_.vector(graph, kTensors, 4);
    for (std::uint32_t i = 0; i < tensors_.count; ++i) (void)tensor(i);
    head_.inputs = listed(graph, kInputs);
    head_.outputs = listed(graph, kOutputs);
  }

 private:
  void read_operators(std::uint64_t model) {
    const auto codes = flat_.vector(model, kOperatorCodes, 4);
    for (std::uint32_t i = 0; i < codes.count; ++i) {
      const auto code = flat_.table(codes, i);
      const std::int32_t former =
          flat_.value<std::int8_t>(code, kDeprecatedCode);
      const auto now = flat_.value<std::int32_t>(code, kCode);
      const auto name = flat_.text(code, kCustomCode);
      const bool is_custom = former == kCustom || now == kCustom;
      head_.operators.emplace(is_custom
                                  ? "custom." + std::string(name)
                                  : str("operator ", std::max(former, now)),
                              "");
    }
  }

  std::vector<ModelTensor> listed(std::uint64_t graph, unsigned field) {
    const auto places = flat_.vector(graph, field, 4);
    std::vector<ModelTensor> out;
    for (std::uint32_t i = 0; i < places.count; ++i) {
      out.push_back(tensor(flat_.number<std::uint32_t>(
          places.begin + 4 * static_cast<std::uint64_t>(i))));
    }
    return out;
  }

  ModelTensor tensor(std::uint32_t place) {
    const auto at = flat_.table(tensors_, place);
    ModelTensor out;
    out.name = std::string(flat_.text(at, kName));
    const auto type =
        static_cast<std::size_t>(flat_.value<std::uint8_t>(at, kType));
    out.dtype = type < kTypes.size() ? kTypes.at(type) : str("type ", type);
    FlatVector shape = flat_.vector(at, kShapeSignature, 4);
    if (shape.count == 0) shape = flat_.vector(at, kShape, 4);
    std::vector<std::int64_t> sizes;
    for (std::uint32_t i = 0; i < shape.count; ++i) {
      const auto size = flat_.number<std::int32_t>(
          shape.begin + 4 * static_cast<std::uint64_t>(i));
      out.dims.push_back(size < 0 ? "" : std::to_string(size));
      sizes.push_back(size < 0 ? 1 : size);
    }
    if (elements_of(sizes) < 0) {
      flat_.fail("a tensor's shape has more elements than any model needs");
    }
    return out;
  }

  Flat flat_;
  ModelHead& head_;
  FlatVector tensors_;
};

}  // namespace

void read_tflite(const Source& source, ModelHead& head) {
  Reader(source, head).read();
}

}  // namespace penstock::heads
