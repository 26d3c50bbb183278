#include "runtime/declared.h"

#include <algorithm>

namespace penstock {
namespace {

[[noreturn]] void refuse(const std::string& what, const char* call) {
  throw Error(Code::kInternal,
              str("it sets ", what, ", which it does not declare; add it to ",
                  call, " in its declare()"));
}

}  // namespace

void check_declared(const Notes& values, const std::vector<NoteSpec>& declared,
                    const char* word) {
  for (const auto& [name, value] : values) {
    const NoteSpec set{name, static_cast<ParamType>(value.index())};
    const auto is_same = [&, &key = name](const NoteSpec& spec) {
      return spec.name == key && spec.type == set.type;
    };
    if (std::any_of(declared.begin(), declared.end(), is_same)) continue;
    refuse(str("the ", word, " '", to_string(set), "'"), "makes()");
  }
}

void check_declared(const Next& next, const StageSpec& decode) {
  for (const Decoded& decoded : next.emit) {
    check_declared(decoded.notes, decode.notes.makes, "note");
  }
  for (const auto& [name, tensor] : next.inputs) {
    const auto is_same = [&, &key = name](const Port& port) {
      return port.name == key;
    };
    const auto& ports = decode.next_inputs;
    if (std::any_of(ports.begin(), ports.end(), is_same)) continue;
    refuse(str("the input '", name, "' for the next step"), "next_input()");
  }
}

Notes declared_of(const Notes& facts, const NoteSpecs& declared) {
  Notes out;
  for (const auto* list : {&declared.needs, &declared.uses}) {
    for (const NoteSpec& spec : *list) {
      const auto found = facts.find(spec.name);
      if (found != facts.end()) out.insert(*found);
    }
  }
  return out;
}

}  // namespace penstock
