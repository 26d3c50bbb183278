#include "gemma/token_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace penstock::gemma {
namespace {

using OrderedJson = nlohmann::ordered_json;

/// A byte of a character has no text of its own, but its bytes.
OrderedJson entry(const Tokenizer& tokenizer, std::int64_t id, double value) {
  const auto piece = tokenizer.piece(id);
  const bool is_text = piece.kind == Tokenizer::Kind::kText;
  OrderedJson out;
  out["token"] = is_text ? piece.text : tokenizer.spelling(id);
  out["logprob"] = std::isfinite(value) ? OrderedJson(value) : OrderedJson();
  if (piece.kind == Tokenizer::Kind::kNothing) {
    out["bytes"] = nullptr;
  } else {
    out["bytes"] = OrderedJson::array();
    for (const char c : piece.text) {
      out["bytes"].push_back(static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace

std::string token_json(const Tokenizer& tokenizer, const std::string& key,
                       const at::Tensor& ids, const at::Tensor& values,
                       std::int64_t first) {
  OrderedJson list = OrderedJson::array();
  if (first >= 0) {
    list.push_back(entry(tokenizer, first, std::nan("")));
    list.back()["top_logprobs"] = OrderedJson::array();
  }
  const std::int64_t columns = ids.size(1);
  const auto* id = ids.const_data_ptr<std::int64_t>();
  const auto* value = values.const_data_ptr<float>();
  for (std::int64_t i = 0; i < ids.size(0); ++i) {
    OrderedJson token = entry(tokenizer, *id++, *value++);
    token["top_logprobs"] = OrderedJson::array();
    for (std::int64_t k = 1; k < columns; ++k, ++id, ++value) {
      if (*id < 0) continue;
      token["top_logprobs"].push_back(entry(tokenizer, *id, *value));
    }
    list.push_back(std::move(token));
  }
  OrderedJson out;
  out[key]["content"] = std::move(list);
  return out.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace penstock::gemma
