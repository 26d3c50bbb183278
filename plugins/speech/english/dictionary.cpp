#include "speech/english/dictionary.h"

#include <algorithm>

#include "speech/english/characters.h"

namespace penstock::speech {
namespace {

constexpr const char* kUsual = "DEFAULT";
/// The tag of a word before a pause.
constexpr const char* kPause = "None";

Readings readings_of(const JsonView& view) {
  Readings out{.usual = view.at(kUsual).text()};
  for (const auto& [tag, reading] : view.members()) {
    if (tag == kUsual) continue;
    out.by_tag.emplace_back(tag,
                            reading.is_text() ? reading.text() : std::string());
  }
  return out;
}

}  // namespace

std::string kind_of_tag(const std::string& tag) {
  if (tag.starts_with("VB")) return "VERB";
  if (tag.starts_with("NN")) return "NOUN";
  if (tag.starts_with("ADV") || tag.starts_with("RB")) return "ADV";
  if (tag.starts_with("ADJ") || tag.starts_with("JJ")) return "ADJ";
  return tag;
}

std::optional<std::u32string> Readings::of(const std::string& tag,
                                           bool is_before_pause) const {
  const auto find = [this](const std::string& name) {
    const auto found =
        std::find_if(by_tag.begin(), by_tag.end(),
                     [&](const auto& each) { return each.first == name; });
    return found == by_tag.end() ? nullptr : &found->second;
  };
  const std::string* reading = is_before_pause ? find(kPause) : nullptr;
  if (reading == nullptr) reading = find(tag);
  if (reading == nullptr) reading = find(kind_of_tag(tag));
  if (reading == nullptr) reading = &usual;
  if (reading->empty()) return std::nullopt;
  return points_of(*reading);
}

Dictionary::Dictionary(const JsonView& view) {
  const auto* members = std::get_if<JsonValue::Object>(&view.value().data);
  if (members == nullptr) view.fail("is no object, expected words");
  words_.reserve(members->size());
  // A view of each of 90,000 would take longer than reading them.
  for (const auto& [word, said] : *members) {
    Readings& out = words_[word];
    if (const auto* usual = std::get_if<std::string>(&said.data)) {
      out.usual = *usual;
    } else {
      out = readings_of(view.at(word));
    }
  }
}

const Readings* Dictionary::exactly(std::u32string_view word) const {
  const auto found = words_.find(utf8_of(word));
  return found == words_.end() ? nullptr : &found->second;
}

const Readings* Dictionary::find(std::u32string_view word) const {
  if (const Readings* found = exactly(word)) return found;
  if (word.size() < 2) return nullptr;
  const std::u32string small = lowered(word);
  const std::u32string large = capitalized(word);
  if (word == small) return large == word ? nullptr : exactly(large);
  return word == large ? exactly(small) : nullptr;
}

}  // namespace penstock::speech
