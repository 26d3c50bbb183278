#include "runtime/stages.h"

#include <algorithm>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "penstock/parallel.h"
#include "penstock/pipeline.h"
#include "runtime/declared.h"
#include "runtime/free_memory.h"
#include "runtime/in_stage.h"
#include "runtime/sink_gate.h"
#include "runtime/watched_call.h"

namespace penstock {
namespace {

template <class T>
std::unique_ptr<T> make(const StageConfig& config, std::size_t index) {
  return in_stage(place_of(config), [&] {
    std::unique_ptr<Stage> stage = config.spec->make(config.params.get());
    auto* typed = dynamic_cast<T*>(stage.get());
    if (typed == nullptr) {
      throw Error(Code::kInternal, "the factory made another kind of stage");
    }
    typed->index = index;
    std::unique_ptr<T> owned(typed);
    (void)stage.release();
    return owned;
  });
}

/// Before a stage takes so much. Of a GPU's memory nothing is known here.
void check_room(std::int64_t bytes, at::Device device) {
  const FreeMemory free = free_memory();
  if (!device.is_cpu() || bytes <= free.bytes) return;
  throw Error(Code::kRetry,
              str("it takes ", bytes >> 20, " MiB of memory, but only ",
                  std::max<std::int64_t>(0, free.bytes) >> 20, " MiB ",
                  free.limit, " are free"));
}

/// Sums of them are numbers, whatever a stage says.
Footprint sane(Footprint its) {
  constexpr std::int64_t kMost = std::int64_t{1} << 50;
  for (std::int64_t* each : {&its.bytes, &its.sequence_bytes, &its.mapped_bytes,
                             &its.opening_bytes, &its.working_bytes}) {
    *each = std::clamp<std::int64_t>(*each, 0, kMost);
  }
  return its;
}

/// A missing model is the pipeline's matter, not the stage's.
std::string model_of(const StageConfig& config) {
  return config.model.empty() ? "" : resolve_model(config.model);
}

/// What a stage is given of an item, for a watcher: the rest is the runtime's.
Item what_counts(const Item& item) {
  Item out;
  out.tokens = item.tokens;
  out.inputs = item.inputs;
  out.notes = item.notes;
  out.width = item.width;
  return out;
}

/// Hands what one Preprocess pushed to the next of the list.
class Chain final : public ItemSink {
 public:
  using See = std::function<void(const Notes&)>;
  using Prepared = std::vector<std::shared_ptr<const PreparedRule>>;
  Chain(const Stages& stages, const PipelineFile& file, std::size_t next,
        const Request& request, const Prepared& rules, ItemSink& out,
        const See& see, CallWatcher* watcher)
      : stages_(stages),
        file_(file),
        next_(next),
        request_(request),
        rules_(rules),
        out_(out),
        see_(see),
        watcher_(watcher) {}

  void push(Item item) override {
    if (request_.stop.stop_requested()) throw Cancelled();
    if (next_ > 0) {
      check_declared(item.notes, stages_.item_notes[next_ - 1], "note");
      stages_.boundary.pushed(next_ - 1, item);
      if (see_) see_(item.notes);
    }
    if (next_ == stages_.preprocess.size()) {
      item.rules = rules_;
      out_.push(std::move(item));
      return;
    }
    Chain rest(stages_, file_, next_ + 1, request_, rules_, out_, see_,
               watcher_);
    const Place place = place_of(file_.preprocess[next_]);
    const Item given = watcher_ == nullptr ? Item{} : what_counts(item);
    const StageCall call{.file = &file_,
                         .stage = &file_.preprocess[next_],
                         .index = next_,
                         .facts = &stages_.facts,
                         .request = &request_,
                         .item = &given};
    watched(watcher_, call, [&] {
      in_stage(place, [&] {
        const SinkGate<GatedItems> gate(rest, place);
        stages_.preprocess[next_]->preprocess(request_, std::move(item),
                                              gate.sink());
      });
    });
  }
  void warn(std::string text) override { out_.warn(std::move(text)); }

 private:
  const Stages& stages_;
  const PipelineFile& file_;
  std::size_t next_;
  const Request& request_;
  const Prepared& rules_;
  ItemSink& out_;
  const See& see_;
  CallWatcher* watcher_;
};

}  // namespace

Place place_of(const StageConfig& config) {
  return {.kind = Place::Kind::kStage,
          .name = to_string(config.spec->kind),
          .detail = config.spec->name};
}

Stages::Stages(const PipelineFile& file) : boundary(file) {
  for (const auto* config : file.stages()) {
    places_.push_back(place_of(*config));
  }
  std::size_t index = 0;
  for (const StageConfig& config : file.preprocess) {
    preprocess.push_back(make<Preprocess>(config, index++));
  }
  batch = make<Batch>(file.batch, index++);
  forward = make<Forward>(file.forward, index++);
  for (const StageConfig& config : file.rules) {
    rules.push_back(make<Rule>(config, index++));
  }
  decode = make<Decode>(file.decode, index++);
  postprocess = make<Postprocess>(file.postprocess, index++);
  std::vector<NoteSpec> notes;
  for (const StageConfig* config : file.stages()) {
    const auto& made = config->spec->notes.makes;
    notes.insert(notes.end(), made.begin(), made.end());
    item_notes.push_back(notes);
  }
}

void Stages::open_one(Stage& stage, const StageConfig& config,
                      const StageContext& shared) {
  const NoteSpecs& declared = config.spec->facts;
  Notes own = declared_of(facts, declared);
  StageContext context{.device = shared.device,
                       .model = model_of(config),
                       .slots = shared.slots,
                       .threads = shared.threads,
                       .max_step_tokens = shared.max_step_tokens,
                       .load = shared.load,
                       .facts = own,
                       .shared = shared.shared};
  in_stage(place_of(config), [&] {
    std::int64_t bytes = 0;
    std::exception_ptr unknown;
    try {
      bytes = stage.memory(context).bytes;
    } catch (...) {
      // Without a model, open() says best what is missing.
      if (!context.model.empty()) throw;
      unknown = std::current_exception();
    }
    check_room(bytes, context.device);
    stage.open(context);
    opened_.push_back(&stage);
    if (unknown) std::rethrow_exception(unknown);
    for (const auto& [name, value] : facts) own.erase(name);
    check_declared(own, declared.makes, "fact");
  });
  facts.merge(own);
}

StageContext Stages::context_for(at::Device device, Notes& known,
                                 Shared* shared) const {
  return {.device = device,
          .model = "",
          .slots = batch->max_sequences(),
          .threads = threads(),
          .max_step_tokens = batch->max_step_tokens(),
          .load = {.sequences = batch->max_sequences()},
          .facts = known,
          .shared = shared};
}

void Stages::open(const PipelineFile& file, at::Device device, int threads,
                  Which which) {
  Shared shared;
  StageContext context = context_for(device, facts, &shared);
  context.threads = threads;
  try {
    open_one(*batch, file.batch, context);
    open_one(*forward, file.forward, context);
    in_stage(place_of(file.forward), [&] { boundary.opened(facts, device); });
    if (which == Which::kWhole) {
      open_rest(file, context);
    } else {
      open_one(*decode, file.decode, context);
    }
  } catch (...) {
    close();
    throw;
  }
}

void Stages::open_rest(const PipelineFile& file, const StageContext& context) {
  for (std::size_t i = 0; i < preprocess.size(); ++i) {
    open_one(*preprocess[i], file.preprocess[i], context);
  }
  for (std::size_t i = 0; i < rules.size(); ++i) {
    open_one(*rules[i], file.rules[i], context);
  }
  are_rules_open_ = true;
  open_one(*decode, file.decode, context);
  open_one(*postprocess, file.postprocess, context);
}

void Stages::open_preprocess(const PipelineFile& file) {
  const StageContext context{.device = at::kCPU,
                             .model = "",
                             .slots = 0,
                             .threads = threads(),
                             .max_step_tokens = 0,
                             .facts = facts};
  for (std::size_t i = 0; i < preprocess.size(); ++i) {
    open_one(*preprocess[i], file.preprocess[i], context);
  }
}

void Stages::open_only(const PipelineFile& file, at::Device device,
                       std::size_t place, const Notes& known) {
  Shared shared;
  const StageContext context = context_for(device, facts, &shared);
  const StageKind kind = file.stages().at(place)->spec->kind;
  try {
    if (kind == StageKind::kBatch || kind == StageKind::kForward) {
      open_one(*batch, file.batch, context);
    }
    if (kind == StageKind::kForward) {
      open_one(*forward, file.forward, context);
    } else {
      facts = known;
    }
    in_stage(place_of(file.forward), [&] { boundary.opened(facts, device); });
    if (kind == StageKind::kPreprocess) {
      open_one(*preprocess.at(place), file.preprocess.at(place), context);
    }
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (kind != StageKind::kRule && kind != StageKind::kDecode) break;
      open_one(*rules[i], file.rules[i], context);
      are_rules_open_ = true;
    }
    if (kind == StageKind::kDecode) open_one(*decode, file.decode, context);
    if (kind == StageKind::kPostprocess) {
      open_one(*postprocess, file.postprocess, context);
    }
  } catch (...) {
    close();
    throw;
  }
}

template <class Visit>
void Stages::each(const PipelineFile& file, Visit&& visit) const {
  visit(*batch, file.batch);
  visit(*forward, file.forward);
  for (std::size_t i = 0; i < preprocess.size(); ++i) {
    visit(*preprocess[i], file.preprocess[i]);
  }
  for (std::size_t i = 0; i < rules.size(); ++i) {
    visit(*rules[i], file.rules[i]);
  }
  visit(*decode, file.decode);
  visit(*postprocess, file.postprocess);
}

/// What Decode wants, unless a rule leaves little to choose from.
std::int64_t Stages::best_scores(const PipelineFile& file,
                                 StageContext context) const {
  const auto of = [&](const Stage& stage, const StageConfig& config) {
    context.model = model_of(config);
    return in_stage(place_of(config),
                    [&] { return stage.memory(context).best_scores; });
  };
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (of(*rules[i], file.rules[i]) == 0) return 0;
  }
  return of(*decode, file.decode);
}

std::vector<StageMemory> Stages::memory(const PipelineFile& file,
                                        const std::vector<at::Device>& devices,
                                        const MemoryLoad& load) const {
  std::vector<StageMemory> out;
  for (const at::Device& device : devices) {
    add_memory(file, device, load, out);
  }
  return out;
}

void Stages::add_memory(const PipelineFile& file, at::Device device,
                        const MemoryLoad& load,
                        std::vector<StageMemory>& out) const {
  Notes none;
  StageContext context = context_for(device, none, nullptr);
  context.load = load;
  int& sequences = context.load.sequences;
  sequences =
      sequences > 0 ? std::min(sequences, context.slots) : context.slots;
  context.load.best_scores = best_scores(file, context);
  const bool is_first = out.empty();
  each(file, [&](const Stage& stage, const StageConfig& config) {
    const StageKind kind = config.spec->kind;
    const bool is_of_loop = kind == StageKind::kBatch ||
                            kind == StageKind::kForward ||
                            kind == StageKind::kDecode;
    if (!is_first && !is_of_loop) return;
    context.model = model_of(config);
    StageMemory& its = out.emplace_back();
    its.kind = to_string(kind);
    its.name = config.spec->name;
    its.device = kind == StageKind::kForward ? device.str() : "cpu";
    its.foreseen =
        sane(in_stage(place_of(config), [&] { return stage.memory(context); }));
    its.foreseen.is_known |= config.spec->is_light;
    its.sequences = sequences;
    its.tokens = load.tokens;
  });
}

void Stages::close() noexcept {
  // NOLINTNEXTLINE(modernize-loop-convert): clang 14 has no views::reverse
  for (auto stage = opened_.rbegin(); stage != opened_.rend(); ++stage) {
    const calls::Scope scope(places_.at((*stage)->index));
    (*stage)->close();
  }
  opened_.clear();
}

Stages::~Stages() {
  // One by one, so that a destructor that throws is told as its stage's.
  const auto destroy = [this](auto& stage) {
    if (!stage) return;
    const calls::Scope scope(places_.at(stage->index));
    stage.reset();
  };
  for (auto& stage : preprocess) destroy(stage);
  destroy(batch);
  destroy(forward);
  for (auto& stage : rules) destroy(stage);
  destroy(decode);
  destroy(postprocess);
}

std::vector<std::shared_ptr<const PreparedRule>> prepare_rules(
    const Stages& stages, const PipelineFile& file, const Request& request,
    CallWatcher* watcher) {
  std::vector<std::shared_ptr<const PreparedRule>> out;
  if (!stages.are_rules_open()) return out;
  for (std::size_t i = 0; i < stages.rules.size(); ++i) {
    const StageCall call{.file = &file,
                         .stage = &file.rules[i],
                         .index = stages.rules[i]->index,
                         .facts = &stages.facts,
                         .request = &request};
    out.push_back(watched(watcher, call, [&] {
      return in_stage(place_of(file.rules[i]),
                      [&] { return stages.rules[i]->prepare(request); });
    }));
  }
  return out;
}

void run_preprocess(const Stages& stages, const PipelineFile& file,
                    const Request& request, ItemSink& out,
                    const std::function<void(const Notes&)>& see,
                    CallWatcher* watcher) {
  const auto rules = prepare_rules(stages, file, request, watcher);
  Chain(stages, file, 0, request, rules, out, see, watcher).push(Item{});
}

}  // namespace penstock
