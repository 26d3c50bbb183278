#include "tests/plugins/gemma/support.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "penstock/plugin_host.h"

namespace penstock::gemma {
namespace {

/// Difference of scores below which both tokens are right:
/// core.sample's near tie.
constexpr double kNearTie = 4e-3;

void join(at::Tensor& all, const at::Tensor& more) {
  if (!more.defined()) return;
  all = all.defined() ? at::cat({all, more.cpu()}) : more.cpu();
}

}  // namespace

std::string repository() { return PENSTOCK_SOURCE_DIR "/"; }
std::string test_device() {
  const char* device = std::getenv("PENSTOCK_TEST_DEVICE");
  return device != nullptr ? device : "cpu";
}
std::string tiny(const std::string& name) {
  return repository() + "tests/fixtures/tiny/" + name;
}

nlohmann::json golden_json(const std::string& path) {
  std::ifstream in(repository() + "tests/golden/" + path);
  if (!in) throw std::runtime_error("no golden " + path);
  return nlohmann::json::parse(in);
}

at::Tensor golden_floats(const std::string& path,
                         const std::vector<std::int64_t>& shape) {
  std::ifstream in(repository() + "tests/golden/" + path, std::ios::binary);
  auto tensor = at::empty(shape, at::kFloat);
  in.read(static_cast<char*>(tensor.mutable_data_ptr()),
          static_cast<std::streamsize>(tensor.nbytes()));
  if (!in) throw std::runtime_error("golden too short: " + path);
  return tensor;
}

Driven::Driven(const std::string& model, const GemmaForward::Params& params,
               int slots)
    : forward_(params) {
  StageContext context{.device = resolve_device(test_device()),
                       .model = model,
                       .slots = slots,
                       .threads = 2,
                       .max_step_tokens = 0,
                       .facts = facts_};
  forward_.open(context);
}

Scores Driven::run(const Tokens& tokens, const Want& want, std::int64_t chunk) {
  Item item;
  item.tokens = tokens;
  Sequence row;
  row.item = &item;
  row.slot = 0;
  row.tokens = tokens;
  row.want = want;
  const auto length = static_cast<std::int64_t>(tokens.size());
  const std::int64_t from = want.from == kLast ? length - 1 : want.from;
  Scores all;
  for (std::int64_t begin = 0; begin < length; begin += chunk) {
    const std::int64_t count = std::min(chunk, length - begin);
    const std::int64_t outs =
        std::max<std::int64_t>(0, begin + count - std::max(begin, from));
    Step step;
    step.layout = Layout::kPacked;
    step.slices = {{.sequence = &row,
                    .count = count,
                    .begin = begin,
                    .out = 0,
                    .outs = outs}};
    step.inputs = {
        {"tokens", at::tensor(Tokens(tokens.begin() + begin,
                                     tokens.begin() + begin + count))}};
    const Scores part = forward_.forward(step).scores;
    join(all.ids, part.ids);
    join(all.values, part.values);
    join(all.full, part.full);
    join(all.at, part.at);
    join(all.norm, part.norm);
    join(all.follow, part.follow);
    join(all.hidden, part.hidden);
  }
  if (forward_.caps().slots > 0) forward_.release(0);
  return all;
}

void Keep::piece(const Request& /*request*/, const Value& value, int branch,
                 bool /*is_final*/) {
  if (const auto* more = std::get_if<Json>(&value)) {
    if (branch == 0) json.push_back(more->text);
    return;
  }
  texts[branch] += std::get<std::string>(value);
  text = texts[0];
}
void Keep::done(const Request& /*request*/, const Report& whole) {
  report = whole;
}

std::vector<std::shared_ptr<Keep>> run_file(
    const std::string& name, std::vector<Request> requests,
    const std::vector<Override>& overrides, Observer* observer) {
  PluginHost plugins({PENSTOCK_PLUGINS});
  PipelineOptions options;
  options.observer = observer;
  Pipeline pipeline(
      load_pipeline_file(repository() + "pipelines/" + name + ".yaml", plugins,
                         overrides),
      options);
  std::vector<std::shared_ptr<Keep>> kept;
  {
    const auto more = pipeline.more_coming();
    for (Request& request : requests) {
      kept.push_back(std::make_shared<Keep>());
      request.id = std::to_string(kept.size());
      pipeline.submit(std::move(request), kept.back());
    }
  }
  pipeline.drain();
  for (const auto& each : kept) each->stats = pipeline.stats();
  return kept;
}

std::vector<std::shared_ptr<Keep>> run_requests(std::vector<Request> requests,
                                                const RunOptions& how) {
  std::vector<Override> overrides{
      {"model", how.model, "test"},
      {"device", test_device(), "test"},
      {"forward.dtype", how.dtype, "test"},
      {"forward.engine", how.engine, "test"},
      {"forward.cache", how.cache ? "true" : "false", "test"},
      {"batch.max_sequences", std::to_string(how.max_sequences), "test"},
      {"decode.max_new_tokens", std::to_string(how.max_new_tokens), "test"}};
  if (!how.is_padded) {
    // Without a cache a row runs whole.
    const std::int64_t chunk = how.cache ? how.chunk : 1 << 20;
    overrides.push_back({"batch.chunk", std::to_string(chunk), "test"});
    overrides.push_back({"batch.max_step_tokens", "1048576", "test"});
  }
  overrides.insert(overrides.end(), how.more.begin(), how.more.end());
  const std::string file = how.is_padded ? "gemma_padded" : "gemma_text";
  return run_file(file, std::move(requests), overrides, how.observer);
}

std::vector<std::shared_ptr<Keep>> run(const std::vector<std::string>& prompts,
                                       const RunOptions& how) {
  std::vector<Request> requests;
  for (const std::string& prompt : prompts) {
    requests.emplace_back().inputs["text"] = prompt;
  }
  auto kept = run_requests(std::move(requests), how);
  for (const auto& each : kept) {
    if (each->report.error) throw Error(*each->report.error);
  }
  return kept;
}

std::string compare_greedy(const Tokens& got, const Tokens& wanted,
                           const std::vector<double>& margins,
                           const std::string& name) {
  const auto pair =
      std::mismatch(got.begin(), got.end(), wanted.begin(), wanted.end());
  const auto at = static_cast<std::size_t>(pair.first - got.begin());
  if (pair.first == got.end() && pair.second == wanted.end()) return "";
  if (at < margins.size() && margins[at] < kNearTie) {
    std::cout << "near tie: " << name << ", token " << at << ", margin "
              << margins[at] << "\n";
    return "";
  }
  return str(name, ": token ", at, " of ", wanted.size(), " differs, margin ",
             at < margins.size() ? margins[at] : -1.0, "\n");
}

}  // namespace penstock::gemma
