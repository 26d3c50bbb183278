#include "pipeline_run/inspect/stage_json.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "penstock/dtype.h"

namespace penstock::run {
namespace {

using OrderedJson = nlohmann::ordered_json;

/// As short as says the number: a double's further digits say nothing of a
/// float.
OrderedJson number(float value) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.9g",
                      static_cast<double>(value));
  return std::strtod(text.data(), nullptr);
}

OrderedJson values_of(const at::Tensor& tensor) {
  OrderedJson list = OrderedJson::array();
  if (tensor.dim() > 1) {
    for (std::int64_t i = 0; i < tensor.size(0); ++i) {
      list.push_back(values_of(tensor.select(0, i)));
    }
    return list;
  }
  const auto flat = tensor.reshape({-1});
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    if (flat.scalar_type() == at::kDouble) {
      list.push_back(flat[i].item<double>());
    } else if (flat.is_floating_point()) {
      list.push_back(number(flat[i].item<float>()));
    } else {
      list.push_back(flat[i].item<std::int64_t>());
    }
  }
  return tensor.dim() == 0 ? list[0] : list;
}

OrderedJson text_or_list(const std::string& text) {
  if (text.find('\0') == std::string::npos) return text;
  OrderedJson list = OrderedJson::array();
  std::istringstream in(text);
  for (std::string item; std::getline(in, item, '\0');) list.push_back(item);
  return list;
}

OrderedJson raw_json(const Raw& raw) {
  if (const auto* scalar = std::get_if<RawScalar>(&raw)) return scalar->text;
  OrderedJson list = OrderedJson::array();
  for (const RawScalar& each : std::get<std::vector<RawScalar>>(raw)) {
    list.push_back(each.text);
  }
  return list;
}

}  // namespace

OrderedJson tensor_json(const at::Tensor& tensor, std::int64_t most_values) {
  OrderedJson out{{"dtype", dtype_word(tensor.scalar_type())},
                  {"shape", tensor.sizes().vec()}};
  if (tensor.numel() <= most_values) out["values"] = values_of(tensor.cpu());
  return out;
}

OrderedJson tensors_json(const Tensors& tensors, std::int64_t most_values) {
  OrderedJson out = OrderedJson::object();
  for (const auto& [name, tensor] : tensors) {
    out[name] = tensor_json(tensor, most_values);
  }
  return out;
}

OrderedJson notes_json(const Notes& notes) {
  OrderedJson out = OrderedJson::object();
  for (const auto& [name, note] : notes) {
    if (const auto* text = std::get_if<std::string>(&note)) {
      out[name] = text_or_list(*text);
    } else {
      std::visit([&, &key = name](const auto& value) { out[key] = value; },
                 note);
    }
  }
  return out;
}

OrderedJson value_json(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* json = std::get_if<penstock::Json>(&value)) {
    return OrderedJson::parse(json->text, nullptr, /*allow_exceptions=*/false);
  }
  if (const auto* media = std::get_if<Media>(&value)) {
    OrderedJson out{{"file", media->name}};
    if (media->begin > 0) out["begin"] = media->begin;
    if (std::isfinite(media->end)) out["end"] = media->end;
    return out;
  }
  if (const auto* tensors = std::get_if<Tensors>(&value)) {
    return tensors_json(*tensors);
  }
  return "live";
}

OrderedJson request_json(const Request& request) {
  OrderedJson out;
  out["inputs"] = OrderedJson::object();
  for (const auto& [name, value] : request.inputs) {
    out["inputs"][name] = value_json(value);
  }
  out["options"] = OrderedJson::object();
  for (const auto& [name, raw] : request.options) {
    out["options"][name] = raw_json(raw);
  }
  return out;
}

Tensors named_scores(const Scores& scores) {
  Tensors out;
  const auto add = [&](const char* name, const at::Tensor& tensor) {
    if (tensor.defined()) out.emplace_back(str("scores.", name), tensor);
  };
  add("ids", scores.ids);
  add("values", scores.values);
  add("full", scores.full);
  add("at", scores.at);
  add("norm", scores.norm);
  add("follow", scores.follow);
  add("hidden", scores.hidden);
  return out;
}

std::string line_of(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace penstock::run
