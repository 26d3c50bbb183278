#include "penstock/notes.h"

#include "base/quote.h"

namespace penstock {

// NoteSpec::type is the index of a NoteValue.
static_assert(
    std::is_same_v<std::variant_alternative_t<
                       static_cast<int>(ParamType::kIntegers), NoteValue>,
                   Tokens>);

std::string to_string(const NoteSpec& note) {
  return note.name + ": " + to_string(note.type);
}

void refuse_type(const char* word, const NoteSpec& wanted,
                 const NoteValue& found) {
  const auto type = static_cast<ParamType>(found.index());
  throw Error(
      Code::kInternal,
      str(word, " '", wanted.name, "' has the type ", to_string(type),
          ", expected ", to_string(wanted.type), "; set it by its key"));
}

void refuse_missing(const char* word, const NoteSpec& wanted,
                    const Notes& notes) {
  std::vector<std::string> there;
  there.reserve(notes.size());
  for (const auto& [name, value] : notes) there.push_back(name);
  throw Error(Code::kInternal,
              str("there is no ", word, " '", wanted.name,
                  "'; there are: ", there.empty() ? "none" : joined(there)));
}

}  // namespace penstock
