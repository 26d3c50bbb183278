// Small values of a capsule as JSON, and back; see kept_json.h.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "penstock/notes.h"
#include "penstock/params.h"
#include "penstock/sequence.h"

namespace penstock::run {

using KeptJson = nlohmann::ordered_json;

[[nodiscard]] KeptJson kept_text(const std::string& text);
[[nodiscard]] KeptJson kept_notes(const Notes& notes);
[[nodiscard]] KeptJson kept_raw(const Raw& raw);
[[nodiscard]] KeptJson kept_want(const Want& want);

// Back; they throw Error(kData) or what nlohmann throws for another type.
[[nodiscard]] std::string text_from(const KeptJson& json);
[[nodiscard]] Notes notes_from(const KeptJson& json);
[[nodiscard]] Raw raw_from(const KeptJson& json);
[[nodiscard]] Want want_from(const KeptJson& json);
/// A whole number in [low, high], not a rounded one.
[[nodiscard]] std::int64_t integer_from(const KeptJson& object, const char* key,
                                        std::int64_t low, std::int64_t high);
[[nodiscard]] Tokens tokens_from(const KeptJson& json);

}  // namespace penstock::run
