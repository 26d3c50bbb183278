#include "pipeline_check_plugin/given.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <map>

#include "penstock/dtype.h"
#include "penstock/keys.h"

namespace penstock::check {
namespace {

using testing::Given;
using testing::GivenItem;

constexpr std::int64_t kVocabulary = 64;
constexpr std::int64_t kSize = 4;  ///< of a dim that may have any
constexpr std::int64_t kLarge = 1'000'000;

const std::vector<Tokens> kPrompts{{3, 1, 4, 1, 5, 9, 2, 6},
                                   {2, 7, 1, 8, 2, 8, 1, 8, 2, 8}};

/// A tensor of zeros for each port that is one, without the batch's dim.
Tensors tensors_for(const std::vector<Port>& ports) {
  Tensors out;
  for (const Port& port : ports) {
    const auto type = scalar_type_of(port.dtype);
    // Those that have members of their own.
    const bool is_scores =
        port.name == "scores" && !port.dims.empty() && port.dims.front() == "R";
    if (!type || is_scores || port.name == "tokens") continue;
    std::vector<std::int64_t> sizes;
    for (const std::string& dim : own_dims(port)) {
      const std::int64_t size = fixed_dim(dim).value_or(kSize);
      sizes.push_back(size < kLarge ? size : kSize);
    }
    out.emplace_back(port.name, at::zeros(sizes, *type));
  }
  return out;
}

bool has_port(const std::vector<Port>& ports, const std::string& name) {
  return std::any_of(ports.begin(), ports.end(),
                     [&](const Port& port) { return port.name == name; });
}

NoteValue value_of(const NoteSpec& note) {
  switch (note.type) {
    case ParamType::kBool:
      return false;
    case ParamType::kInteger:
      return note.name == kVocabSize.name ? kVocabulary : std::int64_t{1};
    case ParamType::kReal:
      return 1.0;
    case ParamType::kText:
      return std::string("text");
    default:
      return Tokens{kVocabulary - 1};
  }
}

Notes notes_for(const std::vector<NoteSpec>& wanted) {
  Notes notes;
  for (const NoteSpec& note : wanted) notes[note.name] = value_of(note);
  return notes;
}

/// After token n comes n + 1.
std::vector<float> counting(const Tokens& tokens) {
  std::vector<float> scores(kVocabulary);
  const std::int64_t last = tokens.empty() ? 0 : tokens.back();
  scores[static_cast<std::size_t>((last + 1) % kVocabulary)] = 1;
  return scores;
}

void give_items(const StageSpec& spec, bool has_tokens, const Tensors& inputs,
                Given& given) {
  for (const Tokens& prompt : kPrompts) {
    given.items.push_back({.tokens = has_tokens ? prompt : Tokens{},
                           .inputs = inputs,
                           .notes = notes_for(spec.notes.needs)});
  }
}

void give_batch(const StageSpec& spec, Given& given) {
  const bool is_stacked = std::find(spec.layouts.begin(), spec.layouts.end(),
                                    Layout::kStacked) != spec.layouts.end();
  const Tensors tensor{{"input", at::zeros({kSize})}};
  give_items(spec, !is_stacked, is_stacked ? tensor : Tensors{}, given);
  if (is_stacked) given.outputs = {kPrompts.size(), tensor};
}

void give_decode(const StageSpec& spec, Given& given) {
  const bool has_scores = has_port(spec.inputs, "scores");
  give_items(spec, has_scores, {}, given);
  if (has_scores) {
    given.scores = counting;
  } else {
    given.outputs = {kPrompts.size(), tensors_for(spec.inputs)};
  }
}

void give_postprocess(const StageSpec& spec, Given& given) {
  give_items(spec, true, tensors_for(spec.inputs), given);
  given.items.resize(1);  // what follows is for that one
  Decoded decoded;
  if (has_port(spec.inputs, "tokens")) decoded.tokens = {33, 34, 35};
  decoded.tensors = tensors_for(spec.inputs);
  given.decoded = {decoded, decoded};
}

}  // namespace

std::optional<Given> given_for(const StageSpec& spec, std::string& why) {
  for (const Port& port : spec.inputs) {
    if (port.dtype != "media") continue;
    why = str("it reads files of media (", port.name, ")");
    return {};
  }
  if (spec.kind == StageKind::kRule) {
    why = "it is a rule, which says nothing without a vocabulary";
    return {};
  }
  Given given;
  given.inputs["text"] = "Hello, world";
  if (spec.kind != StageKind::kForward)
    given.facts = notes_for(spec.facts.needs);
  switch (spec.kind) {
    case StageKind::kPreprocess:
      // What the stage before it would have made, where it says so.
      if (!spec.notes.needs.empty() || !spec.inputs.empty()) {
        give_items(spec, false, tensors_for(spec.inputs), given);
      }
      break;
    case StageKind::kBatch:
      give_batch(spec, given);
      break;
    case StageKind::kForward:
      give_items(spec, has_port(spec.inputs, "tokens"),
                 tensors_for(spec.inputs), given);
      break;
    case StageKind::kDecode:
      give_decode(spec, given);
      break;
    case StageKind::kPostprocess:
      give_postprocess(spec, given);
      break;
    case StageKind::kRule:
      break;  // was refused
  }
  return given;
}

}  // namespace penstock::check
