#include "core/map.h"

#include <utility>

#include "penstock/keys.h"

namespace penstock::core {
namespace {

MapStepOptions options_of(const Map::Params& params) {
  return {.step = params.step,
          .by = params.by,
          .with = params.with,
          .max_texts = params.max_items,
          .max_bytes = params.max_bytes};
}

/// What is wrong with the step, or "".
std::string map_conflict(const Map::Params& params) {
  try {
    (void)make_map_step(options_of(params));
  } catch (const Error& error) {
    return error.text();
  }
  return "";
}

}  // namespace

void Map::declare(Declaration<Map>& d) {
  d.doc("One step on a text or a JSON document: template, split, filter, ...")
      .uses(kText)
      .makes(kText)
      .light();
  d.param(
       "step", &Params::step,
       "template: fills {text} and {names} of JSON members or inputs; get: a "
       "member of JSON; each: an item for each element of a list; join: a "
       "list as one text; split: an item for each piece between `by`; "
       "filter, drop: only texts that match, or do not; replace: each match "
       "by `with`")
      .choices({"template", "get", "each", "join", "split", "filter", "drop",
                "replace"});
  d.param("by", &Params::by,
          "the template; the member, such as a.b.0 (empty: the whole); the "
          "text between; or the regular expression, in RE2's syntax");
  d.param("with", &Params::with,
          "of replace: what comes in place, \\1 is the first group");
  d.param("input", &Params::input,
          "the request's input that is read where no stage before made a text");
  d.param("max_items", &Params::max_items,
          "most texts that one text becomes; more is an error")
      .range(1, 1e9);
  d.param("max_bytes", &Params::max_bytes,
          "longest text in bytes, given or made; a longer one is refused")
      .range(1, 1 << 30);
  d.check(map_conflict);
}

Map::Map(const Params& params)
    : params_(params), step_(make_map_step(options_of(params))) {}

void Map::preprocess(const Request& request, Item in, ItemSink& out) const {
  const std::string& text = text_of(request, in, params_.input);
  check_bytes(text, params_.max_bytes);
  const auto input = [&](const std::string& name) -> const std::string* {
    if (request.inputs.count(name) == 0) return nullptr;
    return &text_input(request, name);
  };
  for (std::string& made : step_->texts(text, input)) {
    Item item;
    item.tokens = in.tokens;
    item.inputs = in.inputs;
    item.notes = in.notes;
    item.width = in.width;
    set(item.notes, kText, std::move(made));
    out.push(std::move(item));
  }
}

}  // namespace penstock::core
