// kept_call(): a call, put together again. Nothing that was read is trusted.
#include <fstream>
#include <limits>
#include <sstream>

#include "pipeline_run/capsule/kept_json.h"
#include "pipeline_run/capsule/kept_values.h"

namespace penstock::run {
namespace {

constexpr int kMostBranches = 1 << 20;

class Unkeeper {
 public:
  Unkeeper(const KeptJson& json, const Tensors& tensors,
           const std::filesystem::path& folder)
      : json_(json), tensors_(tensors), folder_(folder) {}
  KeptCall operator()();

 private:
  [[nodiscard]] Tensors tensors(const std::string& prefix,
                                const KeptJson& names) const;
  [[nodiscard]] Value value(const std::string& prefix,
                            const KeptJson& json) const;
  [[nodiscard]] Media media(const KeptJson& json) const;
  void request(const KeptJson& json);
  void item(const KeptJson& json);
  void sequence(const KeptJson& json);
  void step(const KeptJson& json);
  void slice(const KeptJson& json);
  void decoded(const KeptJson& json);
  /// The place in a list that a key names.
  template <class T>
  const T& of(const std::vector<T>& list, const KeptJson& json,
              const char* key) const {
    const auto last = static_cast<std::int64_t>(list.size()) - 1;
    return list[static_cast<std::size_t>(integer_from(json, key, 0, last))];
  }

  const KeptJson& json_;
  const Tensors& tensors_;
  const std::filesystem::path& folder_;
  KeptCall call_;
};

Tensors Unkeeper::tensors(const std::string& prefix,
                          const KeptJson& names) const {
  Tensors out;
  for (const KeptJson& name : names) {
    const auto own = name.get<std::string>();
    const at::Tensor* found = find(tensors_, prefix + "/" + own);
    if (found == nullptr) {
      throw Error(Code::kData, str("tensors.safetensors has no tensor '",
                                   prefix, "/", own, "'"));
    }
    out.emplace_back(own, *found);
  }
  return out;
}

Media Unkeeper::media(const KeptJson& json) const {
  Media out;
  out.name = text_from(json.at("file"));
  out.begin = json.at("begin").get<double>();
  if (json.contains("end")) out.end = json["end"].get<double>();
  if (!json.contains("bytes")) return out;
  const auto path =
      folder_ / str("bytes.", integer_from(json, "bytes", 0, 1 << 20));
  std::ifstream in(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  if (!in) {
    throw Error(Code::kNotFound, str("cannot read '", path.string(), "'"));
  }
  out.bytes = std::make_shared<const std::string>(std::move(bytes).str());
  return out;
}

Value Unkeeper::value(const std::string& prefix, const KeptJson& json) const {
  if (json.contains("text")) return text_from(json["text"]);
  if (json.contains("json")) return Json{text_from(json["json"])};
  if (json.contains("tensors")) return tensors(prefix, json["tensors"]);
  if (json.contains("file")) return media(json);
  throw Error(
      Code::kData,
      str("input '", prefix,
          "' was live and is not kept: this call cannot be made again"));
}

void Unkeeper::request(const KeptJson& json) {
  auto out = std::make_shared<Request>();
  out->id = text_from(json.at("id"));
  const std::size_t place = call_.requests.size();
  for (const auto& [name, input] : json.at("inputs").items()) {
    out->inputs[name] = value(str("request.", place, ".", name), input);
  }
  for (const auto& [name, raw] : json.at("options").items()) {
    out->options[name] = raw_from(raw);
  }
  call_.requests.push_back(std::move(out));
}

void Unkeeper::item(const KeptJson& json) {
  auto out = std::make_shared<Item>();
  out->request = of(call_.requests, json, "request");
  out->index = integer_from(json, "index", 0, kAll);
  out->width = static_cast<int>(integer_from(json, "width", 1, kMostBranches));
  out->tokens = tokens_from(json.at("tokens"));
  out->notes = notes_from(json.at("notes"));
  out->inputs = tensors(str("item.", call_.items.size()), json.at("inputs"));
  call_.items.push_back(std::move(out));
}

void Unkeeper::sequence(const KeptJson& json) {
  auto out = std::make_unique<Sequence>();
  out->item = of(call_.items, json, "item").get();
  out->branch =
      static_cast<int>(integer_from(json, "branch", 0, kMostBranches));
  out->tokens = tokens_from(json.at("tokens"));
  out->draft = tokens_from(json.at("draft"));
  out->cached = integer_from(json, "cached", 0, out->length());
  out->is_fresh = json.at("is_fresh").get<bool>();
  out->want = want_from(json.at("want"));
  out->inputs =
      tensors(str("sequence.", call_.sequences.size()), json.at("inputs"));
  call_.sequences.push_back(std::move(out));
}

/// Slices are in the order of the sequences; their rows follow each other.
void Unkeeper::slice(const KeptJson& json) {
  const std::size_t place = call_.step.slices.size();
  if (place >= call_.sequences.size()) {
    throw Error(Code::kData, "there are more slices than sequences");
  }
  Sequence& sequence = *call_.sequences[place];
  // A model without tokens has nothing to count.
  const std::int64_t length = sequence.length();
  Slice out;
  out.sequence = &sequence;
  out.begin = integer_from(json, "begin", 0, length);
  out.count =
      integer_from(json, "count", 0, length == 0 ? kAll : length - out.begin);
  out.outs = integer_from(json, "outs", 0, length == 0 ? 1 : out.count);
  out.out = call_.step.outs();
  (void)integer_from(json, "out", out.out, out.out);
  call_.step.slices.push_back(out);
}

void Unkeeper::step(const KeptJson& json) {
  const auto layout = json.at("layout").get<std::string>();
  bool is_known = false;
  for (const Layout each :
       {Layout::kStacked, Layout::kPadded, Layout::kPacked}) {
    if (to_string(each) != layout) continue;
    call_.step.layout = each;
    is_known = true;
  }
  if (!is_known) {
    throw Error(Code::kData, "there is no layout '" + layout + "'");
  }
  call_.step.inputs = tensors("step", json.at("inputs"));
  for (const KeptJson& each : json.at("slices")) slice(each);
}

void Unkeeper::decoded(const KeptJson& json) {
  Decoded out;
  out.item = of(call_.items, json, "item");
  out.branch = static_cast<int>(integer_from(json, "branch", 0, kMostBranches));
  out.tokens = tokens_from(json.at("tokens"));
  out.notes = notes_from(json.at("notes"));
  out.tensors =
      tensors(str("decoded.", call_.decoded.size()), json.at("tensors"));
  const auto finish = json.at("finish").get<std::string>();
  bool is_known = false;
  for (int i = 0; i <= static_cast<int>(Finish::kDropped); ++i) {
    if (to_string(static_cast<Finish>(i)) != finish) continue;
    out.finish = static_cast<Finish>(i);
    is_known = true;
  }
  if (!is_known) {
    throw Error(Code::kData, "there is no finish '" + finish + "'");
  }
  call_.decoded.push_back(std::move(out));
}

/// Of named_scores().
Scores scores_of(const Tensors& named) {
  Scores out;
  const auto take = [&](const char* name, at::Tensor& to) {
    const at::Tensor* found = find(named, std::string("scores.") + name);
    if (found != nullptr) to = *found;
  };
  take("ids", out.ids);
  take("values", out.values);
  take("full", out.full);
  take("at", out.at);
  take("norm", out.norm);
  take("follow", out.follow);
  take("hidden", out.hidden);
  return out;
}

KeptCall Unkeeper::operator()() {
  call_.facts = notes_from(json_.at("facts"));
  for (const KeptJson& each : json_.at("requests")) request(each);
  for (const KeptJson& each : json_.at("items")) item(each);
  for (const KeptJson& each : json_.at("sequences")) sequence(each);
  for (const KeptJson& each : json_.at("decoded")) decoded(each);
  if (json_.contains("step")) step(json_["step"]);
  if (json_.contains("result")) {
    call_.result.out = tensors("result", json_["result"].at("out"));
    call_.result.scores =
        scores_of(tensors("result", json_["result"].at("scores")));
  }
  call_.is_end = json_.at("is_end").get<bool>();
  return std::move(call_);
}

}  // namespace

KeptCall kept_call(const KeptJson& json, const Tensors& tensors,
                   const std::filesystem::path& folder) {
  return Unkeeper(json, tensors, folder)();
}

}  // namespace penstock::run
