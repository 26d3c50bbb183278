#include "binding/own_decode.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <utility>

namespace penstock::python {
namespace {

/// What the class remembers of an item: a dictionary.
struct OwnState final : DecodeState {
  explicit OwnState(nb::object object) : held(std::move(object)) {}
  Held held;
};

Want want_of(const nb::dict& from) {
  Want want;
  want.from = nb::cast<std::int64_t>(from["start"]);
  want.top = nb::cast<std::int64_t>(from["top"]);
  want.full = nb::cast<bool>(from["full"]);
  want.norm = nb::cast<bool>(from["norm"]);
  want.follow = nb::cast<bool>(from["follow"]);
  want.hidden = nb::cast<bool>(from["hidden"]);
  want.ids = nb::cast<Tokens>(from["ids"]);
  return want;
}

Finish finish_of(const std::string& word) {
  for (const Finish finish : {Finish::kNo, Finish::kStop, Finish::kLength,
                              Finish::kEnd, Finish::kDropped}) {
    if (finish != Finish::kNo && to_string(finish) == word) return finish;
  }
  if (word.empty()) return Finish::kNo;
  if (word == "stop_id") return Finish::kStopId;
  throw Error(Code::kInternal,
              str("finish='", word,
                  "'; expected 'stop', 'stop_id', 'length', 'end', 'dropped' "
                  "or nothing"));
}

Decoded decoded_of(const nb::dict& from) {
  Decoded out;
  out.tokens = nb::cast<Tokens>(from["tokens"]);
  out.tensors = tensors_of(nb::cast<nb::dict>(from["tensors"]));
  out.notes = notes_of(nb::cast<nb::dict>(from["notes"]));
  return out;
}

Next next_of(const nb::dict& from) {
  Next next;
  next.slice = nb::cast<std::size_t>(from["slice"]);
  next.branch = nb::cast<int>(from["branch"]);
  if (!from["keep"].is_none()) next.keep = nb::cast<std::int64_t>(from["keep"]);
  next.tokens = nb::cast<Tokens>(from["tokens"]);
  next.draft = nb::cast<Tokens>(from["draft"]);
  next.reset = nb::cast<bool>(from["reset"]);
  if (!from["want"].is_none()) {
    next.want = want_of(nb::cast<nb::dict>(from["want"]));
  }
  for (const nb::handle each : nb::cast<nb::list>(from["emit"])) {
    next.emit.push_back(decoded_of(nb::cast<nb::dict>(each)));
  }
  next.finish = finish_of(nb::cast<std::string>(from["finish"]));
  if (!from["error"].is_none()) {
    next.error = std::make_exception_ptr(error_of(from["error"]));
  }
  return next;
}

nb::dict dict_of(const Scores& scores) {
  const std::array<std::pair<const char*, const at::Tensor*>, 7> all{
      {{"ids", &scores.ids},
       {"values", &scores.values},
       {"full", &scores.full},
       {"at", &scores.at},
       {"norm", &scores.norm},
       {"follow", &scores.follow},
       {"hidden", &scores.hidden}}};
  nb::dict out;
  for (const auto& [name, tensor] : all) {
    if (tensor->defined()) out[name] = array_of(*tensor);
  }
  return out;
}

}  // namespace

nb::dict OwnDecode::dict_of_sequence(const Sequence& sequence) const {
  const Item& item = *sequence.item;
  nb::dict out;
  out["tokens"] = sequence.tokens;
  out["draft"] = sequence.draft;
  out["prompt_tokens"] = item.tokens.size();
  out["branch"] = sequence.branch;
  out["notes"] = python::dict_of(item.notes);
  out["params"] = python::dict_of(params<OwnParams>(*this, *item.request));
  if (const auto* state = dynamic_cast<const OwnState*>(item.state.get())) {
    out["state"] = state->held.get();
  } else {
    out["state"] = nb::dict();
  }
  return out;
}

void OwnDecode::start(Sequence& sequence) {
  in_python([&] {
    free_arrays();
    if (sequence.item->state == nullptr) {
      sequence.item->state = std::make_unique<OwnState>(nb::dict());
    }
    const nb::object want =
        object_.get().attr("start")(dict_of_sequence(sequence));
    if (!want.is_none()) sequence.want = want_of(nb::cast<nb::dict>(want));
  });
}

nb::dict OwnDecode::dict_of_step(const Step& step, const Result& picked) const {
  nb::list slices;
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    const Slice& slice = step.slices[i];
    if (slice.outs == 0) continue;  // a part of a long prompt
    nb::dict one;
    one["index"] = i;
    one["out"] = slice.out;
    one["outs"] = slice.outs;
    one["sequence"] = dict_of_sequence(*slice.sequence);
    slices.append(one);
  }
  nb::dict out;
  out["slices"] = slices;
  out["scores"] = dict_of(picked.scores);
  out["out"] = arrays_of(picked.out);
  return out;
}

void OwnDecode::decode(const Step& step, const Result& picked,
                       std::vector<Next>& out) {
  in_python([&] {
    const nb::object nexts =
        object_.get().attr("decode")(dict_of_step(step, picked));
    for (const nb::handle each : nb::cast<nb::list>(nexts)) {
      out.push_back(next_of(nb::cast<nb::dict>(each)));
    }
  });
}

}  // namespace penstock::python
