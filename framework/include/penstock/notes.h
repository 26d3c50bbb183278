// Notes and facts: small typed values that stages hand on beside tensors.
//
// A note belongs to an item, or to what Decode made of it; a fact belongs to
// the model and is made by Forward::open(). Each has a key, a constant that
// carries its name and type; keys.h has those of this project. A plugin may
// add its own:
//
//   inline constexpr Note<double> kLoudness{"loudness"};
//   d.makes(kLoudness);                     // in declare()
//   set(item.notes, kLoudness, -23.5);    // refused where not declared
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/export.h"
#include "penstock/params.h"

namespace penstock {

/// Token ids of a sequence, oldest first.
using Tokens = std::vector<std::int64_t>;
/// The order is that of ParamType.
using NoteValue = std::variant<bool, std::int64_t, double, std::string, Tokens>;
/// Values by the name of their key.
using Notes = std::map<std::string, NoteValue>;

/// The key of a note.
template <class T>
struct Note {
  using Type = T;
  static constexpr const char* kWord = "note";
  const char* name;
};

/// The key of a fact.
template <class T>
struct Fact {
  using Type = T;
  static constexpr const char* kWord = "fact";
  const char* name;
};

template <class K>
concept NoteKey = std::same_as<K, Note<typename K::Type>> ||
    std::same_as<K, Fact<typename K::Type>>;

/// A key as data: what a stage declares and the checks compare.
struct NoteSpec {
  std::string name;
  ParamType type = ParamType::kBool;

  friend bool operator==(const NoteSpec&, const NoteSpec&) = default;
};
/// "audio_begin: number"
[[nodiscard]] PENSTOCK_API std::string to_string(const NoteSpec& note);

template <NoteKey K>
[[nodiscard]] NoteSpec spec_of(const K& key) {
  const NoteValue value{typename K::Type{}};
  return {key.name, static_cast<ParamType>(value.index())};
}

/// Throws Error(kInternal): a value of another type stands under the key.
[[noreturn]] PENSTOCK_API void refuse_type(const char* word,
                                           const NoteSpec& wanted,
                                           const NoteValue& found);
/// Throws Error(kInternal) naming what there is.
[[noreturn]] PENSTOCK_API void refuse_missing(const char* word,
                                              const NoteSpec& wanted,
                                              const Notes& notes);

/// The value under the key, or null. Throws Error(kInternal) where its type is
/// another one: it was written without the key.
template <NoteKey K>
[[nodiscard]] const typename K::Type* find(const Notes& notes, const K& key) {
  const auto found = notes.find(key.name);
  if (found == notes.end()) return nullptr;
  const auto* value = std::get_if<typename K::Type>(&found->second);
  if (value == nullptr) refuse_type(K::kWord, spec_of(key), found->second);
  return value;
}

/// The value under the key; throws Error(kInternal) where there is none.
template <NoteKey K>
[[nodiscard]] const typename K::Type& get(const Notes& notes, const K& key) {
  const auto* value = find(notes, key);
  if (value == nullptr) refuse_missing(K::kWord, spec_of(key), notes);
  return *value;
}

/// The value under the key, or `fallback` where there is none.
template <NoteKey K>
[[nodiscard]] typename K::Type get_or(
    const Notes& notes, const K& key,
    std::type_identity_t<typename K::Type> fallback) {
  const auto* value = find(notes, key);
  return value == nullptr ? std::move(fallback) : *value;
}

template <NoteKey K>
void set(Notes& notes, const K& key,
         std::type_identity_t<typename K::Type> value) {
  notes.insert_or_assign(key.name, NoteValue(std::move(value)));
}

}  // namespace penstock
