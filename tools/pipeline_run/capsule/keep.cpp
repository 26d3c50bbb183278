// kept_parts(): a call, taken apart.
#include <cmath>
#include <map>

#include "pipeline_run/capsule/kept_json.h"
#include "pipeline_run/capsule/kept_values.h"
#include "pipeline_run/inspect/stage_json.h"

namespace penstock::run {
namespace {

class Keeper {
 public:
  KeptParts operator()(const StageCall& call);

 private:
  [[nodiscard]] KeptJson tensors(const std::string& prefix,
                                 const Tensors& tensors);
  std::size_t request(const Request& request);
  [[nodiscard]] KeptJson value(const std::string& prefix, const Value& value);
  std::size_t item(const Item& item, const Request& request);
  void step(const Step& step, bool has_inputs);
  [[nodiscard]] KeptJson sequence(const Sequence& sequence, std::size_t place);
  void decoded(std::span<const Decoded> all);

  KeptParts parts_;
  std::map<const Request*, std::size_t> requests_;
  std::map<const Item*, std::size_t> items_;
};

KeptJson Keeper::tensors(const std::string& prefix, const Tensors& tensors) {
  KeptJson names = KeptJson::array();
  for (const auto& [name, tensor] : tensors) {
    names.push_back(name);
    parts_.tensors.emplace_back(prefix + "/" + name, tensor);
  }
  return names;
}

KeptJson Keeper::value(const std::string& prefix, const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return {{"text", kept_text(*text)}};
  }
  if (const auto* json = std::get_if<penstock::Json>(&value)) {
    return {{"json", kept_text(json->text)}};
  }
  if (const auto* made = std::get_if<Tensors>(&value)) {
    return {{"tensors", tensors(prefix, *made)}};
  }
  if (const auto* media = std::get_if<Media>(&value)) {
    KeptJson out{{"begin", media->begin}};
    if (std::isfinite(media->end)) out["end"] = media->end;
    const bool is_memory = media->bytes != nullptr;
    out["file"] =
        kept_text(is_memory ? media->name
                            : std::filesystem::absolute(media->name).string());
    if (is_memory) {
      out["bytes"] = parts_.bytes.size();
      parts_.bytes.push_back(media->bytes);
    }
    return out;
  }
  parts_.missing.push_back("live input, which was read as it came");
  return {{"live", true}};
}

std::size_t Keeper::request(const Request& request) {
  const auto known = requests_.find(&request);
  if (known != requests_.end()) return known->second;
  const std::size_t place = requests_.size();
  requests_[&request] = place;
  KeptJson out{{"id", kept_text(request.id)}};
  out["inputs"] = KeptJson::object();
  for (const auto& [name, input] : request.inputs) {
    out["inputs"][name] = value(str("request.", place, ".", name), input);
  }
  out["options"] = KeptJson::object();
  for (const auto& [name, raw] : request.options) {
    out["options"][name] = kept_raw(raw);
  }
  parts_.json["requests"].push_back(std::move(out));
  return place;
}

std::size_t Keeper::item(const Item& item, const Request& its) {
  const auto known = items_.find(&item);
  if (known != items_.end()) return known->second;
  const std::size_t place = items_.size();
  items_[&item] = place;
  parts_.json["items"].push_back(
      {{"request", request(its)},
       {"index", item.index},
       {"width", item.width},
       {"tokens", item.tokens},
       {"notes", kept_notes(item.notes)},
       {"inputs", tensors(str("item.", place), item.inputs)}});
  return place;
}

KeptJson Keeper::sequence(const Sequence& sequence, std::size_t place) {
  return {{"item", item(*sequence.item, *sequence.item->request)},
          {"branch", sequence.branch},
          {"tokens", sequence.tokens},
          {"draft", sequence.draft},
          {"cached", sequence.cached},
          {"is_fresh", sequence.is_fresh},
          {"want", kept_want(sequence.want)},
          {"inputs", tensors(str("sequence.", place), sequence.inputs)}};
}

/// While a Batch makes the inputs they are nobody else's to read.
void Keeper::step(const Step& step, bool has_inputs) {
  KeptJson out{
      {"layout", to_string(step.layout)},
      {"inputs", tensors("step", has_inputs ? step.inputs : Tensors())}};
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    const Slice& slice = step.slices[i];
    out["slices"].push_back({{"begin", slice.begin},
                             {"count", slice.count},
                             {"out", slice.out},
                             {"outs", slice.outs}});
    parts_.json["sequences"].push_back(sequence(*slice.sequence, i));
  }
  parts_.json["step"] = std::move(out);
}

void Keeper::decoded(std::span<const Decoded> all) {
  for (const Decoded& each : all) {
    const std::size_t place = parts_.json["decoded"].size();
    parts_.json["decoded"].push_back(
        {{"item", item(*each.item, *each.item->request)},
         {"branch", each.branch},
         {"finish", to_string(each.finish)},
         {"tokens", each.tokens},
         {"notes", kept_notes(each.notes)},
         {"tensors", tensors(str("decoded.", place), each.tensors)}});
  }
}

KeptParts Keeper::operator()(const StageCall& call) {
  for (const char* list : {"requests", "items", "sequences", "decoded"}) {
    parts_.json[list] = KeptJson::array();
  }
  parts_.json["facts"] = kept_notes(*call.facts);
  if (call.request != nullptr) (void)request(*call.request);
  if (call.item != nullptr) (void)item(*call.item, *call.request);
  const bool has_inputs = call.stage->spec->kind != StageKind::kBatch;
  if (call.step != nullptr) step(*call.step, has_inputs);
  if (call.result != nullptr) {
    parts_.json["result"] = {
        {"out", tensors("result", call.result->out)},
        {"scores", tensors("result", named_scores(call.result->scores))}};
  }
  decoded(call.decoded);
  parts_.json["is_end"] = call.is_end;
  return std::move(parts_);
}

}  // namespace

KeptParts kept_parts(const StageCall& call) { return Keeper()(call); }

}  // namespace penstock::run
