#include "pipeline_run/capsule/kept_values.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <utility>

#include "penstock/error.h"

namespace penstock::run {
namespace {

constexpr const char* kDigits = "0123456789abcdef";

bool is_utf8(const std::string& text) {
  try {
    (void)KeptJson(text).dump();
    return true;
  } catch (const KeptJson::exception&) {
    return false;
  }
}

std::string hex_of(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

unsigned digit(char c) {
  const std::string all = kDigits;
  const auto at = all.find(c);
  if (at == std::string::npos) {
    throw Error(Code::kData, str("'", c, "' is no hexadecimal digit"));
  }
  return static_cast<unsigned>(at);
}

std::string bytes_of(const std::string& hex) {
  if (hex.size() % 2 != 0) {
    throw Error(Code::kData, "a text in hexadecimal has half a byte");
  }
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    out += static_cast<char>(digit(hex[i]) << 4U | digit(hex[i + 1]));
  }
  return out;
}

KeptJson kept_note(const NoteValue& note) {
  if (const auto* yes = std::get_if<bool>(&note)) return {{"b", *yes}};
  if (const auto* whole = std::get_if<std::int64_t>(&note)) {
    return {{"i", *whole}};
  }
  if (const auto* text = std::get_if<std::string>(&note)) {
    return {{"s", kept_text(*text)}};
  }
  if (const auto* tokens = std::get_if<Tokens>(&note)) return {{"t", *tokens}};
  const double real = std::get<double>(note);
  if (std::isfinite(real)) return {{"r", real}};
  return {{"r", std::isnan(real) ? "nan" : real > 0 ? "inf" : "-inf"}};
}

NoteValue note_from(const KeptJson& json) {
  if (json.contains("b")) return json["b"].get<bool>();
  if (json.contains("i")) {
    return integer_from(json, "i", std::numeric_limits<std::int64_t>::min(),
                        std::numeric_limits<std::int64_t>::max());
  }
  if (json.contains("s")) return text_from(json["s"]);
  if (json.contains("t")) return tokens_from(json["t"]);
  const KeptJson& real = json.at("r");
  if (real.is_number()) return real.get<double>();
  return std::strtod(real.get<std::string>().c_str(), nullptr);
}

KeptJson kept_scalar(const RawScalar& scalar) {
  return {{"text", kept_text(scalar.text)}, {"quoted", scalar.quoted}};
}

RawScalar scalar_from(const KeptJson& json) {
  return {.text = text_from(json.at("text")),
          .quoted = json.at("quoted").get<bool>()};
}

KeptJson kept_set(const TokenSet* set) {
  if (set == nullptr) return nullptr;
  if (set->is_listed()) return {{"ids", set->ids()}};
  const auto bits = set->bits();
  return {{"bits", std::vector<std::uint64_t>(bits.begin(), bits.end())}};
}

std::shared_ptr<const TokenSet> set_from(const KeptJson& json) {
  if (json.is_null()) return nullptr;
  if (json.contains("ids")) {
    return std::make_shared<TokenSet>(tokens_from(json["ids"]));
  }
  std::vector<std::uint64_t> bits;
  for (const KeptJson& each : json.at("bits")) {
    if (!each.is_number_unsigned()) {
      throw Error(Code::kData, "the bits of a set have " + each.dump() +
                                   "; expected a whole number from 0 on");
    }
    bits.push_back(each.get<std::uint64_t>());
  }
  return std::make_shared<TokenSet>(std::move(bits));
}

}  // namespace

KeptJson kept_text(const std::string& text) {
  if (is_utf8(text)) return text;
  return {{"hex", hex_of(text)}};
}

std::string text_from(const KeptJson& json) {
  if (json.is_string()) return json.get<std::string>();
  return bytes_of(json.at("hex").get<std::string>());
}

KeptJson kept_notes(const Notes& notes) {
  KeptJson out = KeptJson::object();
  for (const auto& [name, note] : notes) out[name] = kept_note(note);
  return out;
}

Notes notes_from(const KeptJson& json) {
  Notes out;
  for (const auto& [name, note] : json.items()) out[name] = note_from(note);
  return out;
}

KeptJson kept_raw(const Raw& raw) {
  if (const auto* scalar = std::get_if<RawScalar>(&raw)) {
    return kept_scalar(*scalar);
  }
  KeptJson list = KeptJson::array();
  for (const RawScalar& each : std::get<std::vector<RawScalar>>(raw)) {
    list.push_back(kept_scalar(each));
  }
  return list;
}

Raw raw_from(const KeptJson& json) {
  if (!json.is_array()) return scalar_from(json);
  std::vector<RawScalar> list;
  for (const KeptJson& each : json) list.push_back(scalar_from(each));
  return list;
}

KeptJson kept_want(const Want& want) {
  KeptJson out{{"from", want.from},     {"top", want.top},
               {"full", want.full},     {"norm", want.norm},
               {"follow", want.follow}, {"hidden", want.hidden},
               {"ids", want.ids}};
  out["allowed"] = KeptJson::array();
  for (const auto& set : want.allowed) {
    out["allowed"].push_back(kept_set(set.get()));
  }
  return out;
}

Want want_from(const KeptJson& json) {
  Want want;
  want.from = integer_from(json, "from", kNone, kAll);
  want.top = integer_from(json, "top", 0, kAll);
  want.full = json.at("full").get<bool>();
  want.norm = json.at("norm").get<bool>();
  want.follow = json.at("follow").get<bool>();
  want.hidden = json.at("hidden").get<bool>();
  want.ids = tokens_from(json.at("ids"));
  for (const KeptJson& each : json.at("allowed")) {
    want.allowed.push_back(set_from(each));
  }
  return want;
}

std::int64_t integer_from(const KeptJson& object, const char* key,
                          std::int64_t low, std::int64_t high) {
  const KeptJson& value = object.at(key);
  const bool is_whole = value.is_number_integer();
  const bool is_too_large =
      value.is_number_unsigned() &&
      value.get<std::uint64_t>() >
          static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (is_whole && !is_too_large) {
    const auto number = value.get<std::int64_t>();
    if (number >= low && number <= high) return number;
  }
  throw Error(Code::kData,
              str("'", key, "' is ", value.dump(),
                  "; expected a whole number in ", low, "..", high));
}

Tokens tokens_from(const KeptJson& json) {
  Tokens out;
  for (const KeptJson& each : json) {
    if (!each.is_number_integer()) {
      throw Error(Code::kData,
                  "a token is " + each.dump() + "; expected a whole number");
    }
    out.push_back(each.get<std::int64_t>());
  }
  return out;
}

}  // namespace penstock::run
