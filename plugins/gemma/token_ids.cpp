#include "gemma/token_ids.h"

#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::gemma {
namespace {

constexpr const char* kInput = "token_ids";

Tokens of_json(const std::string& text) {
  const JsonValue json = parse_json(text, kInput);
  Tokens ids;
  for (const JsonView& each : JsonView(json, kInput).items()) {
    ids.push_back(each.integer());
  }
  return ids;
}

Tokens of_tensors(const Tensors& tensors) {
  const at::Tensor* found = find(tensors, kInput);
  if (found == nullptr || found->dim() != 1 ||
      !at::isIntegralType(found->scalar_type(), /*includeBool=*/false)) {
    throw Error(Code::kData, str(kInput, ": expected one tensor '", kInput,
                                 "' of integers, of one dimension"));
  }
  const at::Tensor ids = found->to(at::kCPU, at::kLong).contiguous();
  const auto* data = ids.const_data_ptr<std::int64_t>();
  return {data, data + ids.numel()};
}

Tokens read(const Value& value) {
  if (const auto* tensors = std::get_if<Tensors>(&value)) {
    return of_tensors(*tensors);
  }
  if (const auto* json = std::get_if<Json>(&value)) return of_json(json->text);
  if (const auto* text = std::get_if<std::string>(&value)) {
    return of_json(*text);
  }
  throw Error(Code::kData, str(kInput, ": expected a list of integers"));
}

}  // namespace

std::optional<Tokens> token_ids(const Request& request,
                                std::int64_t vocabulary) {
  const auto found = request.inputs.find(kInput);
  if (found == request.inputs.end()) return std::nullopt;
  Tokens ids = read(found->second);
  if (ids.empty()) {
    throw Error(Code::kData, str(kInput, ": there is nothing to continue"));
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= 0 && ids[i] < vocabulary) continue;
    throw Error(Code::kData, str(kInput, "[", i, "]: ", ids[i],
                                 " is not in the vocabulary of ", vocabulary));
  }
  return ids;
}

}  // namespace penstock::gemma
