// The body of an `infer` call: two bytes that say how long its JSON is, the
// JSON, tensors.
#include <algorithm>

#include "pipeline_serve/api/inference/inference_request.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace penstock::serve;

Signature every_kind() {
  Signature out;
  const auto add = [&](const char* name, InputKind kind, const char* dtype) {
    InputTensor& tensor = out.inputs.emplace_back();
    tensor.name = name;
    tensor.kind = kind;
    tensor.datatype = &datatype_of(dtype);
    tensor.is_optional = true;
    if (kind == InputKind::kTensor) tensor.dims = {-1, 2};
  };
  add("text", InputKind::kText, "text");
  add("messages", InputKind::kJson, "text");
  add("image", InputKind::kMedia, "media");
  for (const char* dtype : {"bool", "i8", "i64", "f16", "f32"}) {
    add(dtype, InputKind::kTensor, dtype);
  }
  out.outputs.emplace_back().name = "text";
  return out;
}

}  // namespace

void penstock::fuzz::take(std::string_view bytes) {
  static const Signature signature = every_kind();
  if (bytes.size() < 2) return;
  const auto low = static_cast<unsigned char>(bytes[0]);
  const auto high = static_cast<unsigned char>(bytes[1]);
  bytes.remove_prefix(2);
  const auto split =
      split_body(bytes, std::to_string((std::size_t{high} << 8U) | low));
  const auto request = parse_inference(split, signature);
  std::size_t size = 0;
  for (const auto& row : request.rows) {
    for (const auto& [name, value] : row) {
      if (const auto* media = std::get_if<Media>(&value)) {
        size += media->bytes->size();
      } else if (const auto* text = std::get_if<std::string>(&value)) {
        size += text->size();
      }
    }
  }
  // Nothing is made of nothing.
  if (size > bytes.size()) std::abort();
}
