#include "gemma/cuda/engine.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <utility>

#include "gemma/cuda/shapes.h"
#include "gemma/cuda/turn.h"
#include "penstock/error.h"

namespace penstock::gemma::cuda {
namespace {

/// Most rows of a graph; steps of more are launched one by one, and long enough
/// for that not to show.
constexpr std::int32_t kMostCaptured = 256;
/// Rows of one pass over the vocabulary, where many are scored.
constexpr std::int32_t kScoredTogether = 64;
/// Tokens that a sequence gives a step, where that is not known.
constexpr std::int64_t kUsualChunk = 512;

StepLimits limits_of(const CudaEngine::Options& options, int processors) {
  const auto at_once = static_cast<std::int32_t>(
      std::bit_ceil(static_cast<unsigned>(std::max(1, options.slots))));
  return {
      .type = options.type,
      .slots = options.slots,
      .rows = options.rows,
      .head_rows = std::min(
          options.rows, std::clamp(at_once, kScoredTogether, kMostCaptured)),
      .processors = processors,
      .step_blocks = options.is_one_kernel ? kStepBlocks * processors : 0};
}

/// With as many blocks of the one kernel of a step as the device has at once.
StepLimits limits_on(gpu::DeviceApi& api, const Kernels& kernels,
                     const Config& c, const CudaEngine::Options& options) {
  const gpu::DeviceFacts facts = api.facts();
  StepLimits limits = limits_of(options, facts.multiprocessors);
  if (!options.is_one_kernel) return limits;
  const std::string why = gpu::why_not_launched(kernels.step, facts.driver);
  if (!why.empty()) {
    throw Error(Code::kUnavailable,
                str("step: persistent: ", why, ", or use step: graph"));
  }
  const unsigned shared =
      step_bytes({.hidden = c.hidden,
                  .heads = c.heads,
                  .kv_heads = c.kv_heads,
                  .head_dim = c.head_dim,
                  .ffn = c.ffn},
                 c.vocab, step_tasks_for(c, limits), options.type);
  limits.step_blocks =
      std::min(limits.step_blocks,
               api.blocks_at_once(kernels.step, kStepThreads, shared));
  if (limits.step_blocks > 0) return limits;
  throw Error(Code::kUnavailable,
              str("step: persistent: ", facts.name,
                  " cannot have blocks that wait for each other there at once, "
                  "with ",
                  shared, " bytes of shared memory each; use step: graph"));
}

std::int64_t chunk_of(const Config& config,
                      const CudaEngine::Options& options) {
  const std::int64_t chunk = options.chunk > 0 ? options.chunk : kUsualChunk;
  // A longer one goes through the layers in parts.
  return std::min({chunk, config.context, std::int64_t{options.rows}});
}

const CudaEngine::Options& checked(const Config& config,
                                   const CudaEngine::Options& options) {
  if (const char* wrong =
          CudaEngine::cannot_run(config, options.type, options.is_one_kernel)) {
    throw Error(Code::kUsage, str("the CUDA engine cannot run this model: ",
                                  wrong, "; use engine: reference"));
  }
  if (options.keeps_codes && options.type != NumberType::kBf16) {
    throw Error(Code::kInternal, "codes are multiplied by bf16 alone");
  }
  return options;
}

/// What is wrong with screening the head: null, or a phrase.
const char* why_not_screened(const Checkpoint& model,
                             const WeightChoice& weights,
                             const StepLimits& limits) {
  const Config& c = model.config();
  if (limits.step_blocks > 0) return "one kernel for a step reads all of it";
  if (weights.type != NumberType::kBf16) return "its weights are not bf16";
  if (DeviceModel::has_coded_head(model, weights)) {
    return "its weights are codes of the file, which are no more to read "
           "(dtype: bf16 makes numbers of them)";
  }
  return cannot_screen(i32(c.vocab), i32(c.hidden), blocks_for(c, limits));
}

const WeightChoice& checked(const Checkpoint& model,
                            const WeightChoice& weights,
                            const StepLimits& limits) {
  const char* const wrong =
      weights.screens ? why_not_screened(model, weights, limits) : nullptr;
  if (wrong == nullptr) return weights;
  throw Error(Code::kUsage,
              str("step: screened: the model's head cannot be screened: ",
                  wrong, "; use step: graph"));
}

}  // namespace

CudaEngine::CudaEngine(std::shared_ptr<gpu::DeviceApi> api,
                       const Kernels& kernels, const Checkpoint& model,
                       const Options& options)
    : api_(std::move(api)),
      config_(model.config()),
      weights_{options.type, options.keeps_codes, options.screens},
      limits_(limits_on(*api_, kernels, config_, checked(config_, options))),
      need_(memory_need(
          config_, limits_, chunk_of(config_, options),
          DeviceModel::bytes(model, checked(model, weights_, limits_)))),
      page_counts_(pages_that_fit(need_, options.slots, api_->memory(),
                                  api_->facts().name)),
      model_(*api_, model, weights_),
      buffers_(*api_, config_, limits_, page_counts_),
      launches_(*api_, kernels, config_, limits_, model_, buffers_),
      pages_(config_, options.slots, page_counts_, kRollback),
      runs_ahead_(options.runs_ahead),
      norm_(model.norm("output_norm", config_.hidden)) {
  for (std::int64_t i = 0; i < config_.layers; ++i) {
    post_norms_.push_back(
        model.norm(str("blk.", i, ".post_ffw_norm"), config_.hidden));
  }
  api_->wait();
}

CudaEngine::~CudaEngine() {
  try {
    api_->wait();
  } catch (const Error&) {
    // The device is lost; what it held goes with it.
  }
  for (const auto& [key, graph] : graphs_) api_->destroy(graph);
}

const char* CudaEngine::cannot_run(const Config& c, NumberType type,
                                   bool is_one_kernel) {
  const char* wrong = is_one_kernel ? cannot_step(c.layers) : nullptr;
  if (wrong != nullptr) return wrong;
  return cuda::cannot_run({.hidden = c.hidden,
                           .heads = c.heads,
                           .kv_heads = c.kv_heads,
                           .head_dim = c.head_dim,
                           .ffn = c.ffn},
                          type);
}

MemoryNeed CudaEngine::memory(const Checkpoint& model, const Config& config,
                              const Options& options, int processors) {
  return memory_need(
      config, limits_of(options, processors), chunk_of(config, options),
      DeviceModel::bytes(model,
                         {options.type, options.keeps_codes, options.screens}));
}

std::string_view CudaEngine::dtype() const {
  if (weights_.keeps_codes) return "int8";
  return limits_.type == NumberType::kF32 ? "fp32" : "bf16";
}

Caps CudaEngine::caps() const {
  return cache_caps(config_, static_cast<std::size_t>(pages_.slots()));
}

std::int64_t CudaEngine::state_bytes(int slot) const {
  const PageCounts held = pages_.held(slot);
  return held[kFull] * need_.page[kFull] +
         held[kSliding] * need_.page[kSliding];
}

void CudaEngine::release(int slot) noexcept {
  drop_ahead(slot);
  pages_.release(slot);
}

void CudaEngine::truncate(int slot, std::int64_t length) {
  drop_ahead(slot);
  pages_.truncate(slot, length);
}

void CudaEngine::copy(int from, int to) {
  drop_ahead(from);
  drop_ahead(to);
  // What may still be written there, behind the tokens, is nobody's.
  pages_.unreserve(from);
  pages_.copy(from, to, changes_);
}

Result CudaEngine::run(const Step& step, const Tokens& tokens) {
  Turn turn{.step = step, .tokens = tokens};
  if (step.probe != nullptr) {
    step.probe->count("matmul_rows", static_cast<std::int64_t>(tokens.size()));
  }
  try {
    take_ahead(turn);
    if (wants_hidden(step)) {
      turn.scores.hidden =
          at::empty({std::ssize(turn.positions), config_.hidden}, at::kFloat);
    }
    run_passes(turn);
  } catch (...) {
    // Nothing may still be reading the tables when the next step writes them.
    try {
      api_->wait();
    } catch (const Error&) {
      // The first error says more.
    }
    forget_ahead();
    throw;
  }
  Result result;
  result.scores = turn.all();
  return result;
}

/// All scores, in the order of the step's slices.
Scores CudaEngine::Turn::all() {
  if (is_done.empty()) return std::move(scores);
  const auto done = std::count(is_done.begin(), is_done.end(), true);
  if (done == std::ssize(is_done)) return std::move(ahead);
  append(ahead, scores);
  std::vector<std::int64_t> order;
  std::int64_t from_ahead = 0;
  std::int64_t from_scores = done;
  for (std::size_t i = 0; i < is_done.size(); ++i) {
    if (is_done[i]) {
      order.push_back(from_ahead++);
      continue;
    }
    for (std::int64_t out = 0; out < step.slices[i].outs; ++out) {
      order.push_back(from_scores++);
    }
  }
  const at::Tensor rows = at::tensor(order, at::kLong);
  for (at::Tensor* each :
       {&ahead.ids, &ahead.values, &ahead.at, &ahead.norm, &ahead.follow}) {
    if (each->defined()) *each = each->index_select(0, rows);
  }
  return std::move(ahead);
}

void CudaEngine::run_passes(Turn& turn) {
  Pass pass;
  const auto flush = [&] {
    if (pass.rows == 0) return;
    run_pass(turn, pass);
    pass = Pass{.parts = {},
                .scored = {},
                .first_scored = pass.first_scored + pass.scores(),
                .tiles = {}};
  };
  std::int64_t at = 0;
  for (std::size_t i = 0; i < turn.step.slices.size(); ++i) {
    const Slice& slice = turn.step.slices[i];
    if (turn.has_done(i)) {
      at += slice.count;
      continue;
    }
    const int slot = slice.sequence->slot;
    if (pages_.length(slot) != slice.begin) {
      throw Error(Code::kInternal,
                  str("the slot holds ", pages_.length(slot),
                      " tokens, the step begins at ", slice.begin));
    }
    for (std::int64_t done = 0; done < slice.count;) {
      if (pass.rows == limits_.rows) flush();
      const std::int64_t count =
          std::min<std::int64_t>(slice.count - done, limits_.rows - pass.rows);
      pages_.extend(slot, count, changes_);
      pass.add(slice, done, at, count);
      done += count;
      at += count;
    }
  }
  flush();
}

void CudaEngine::update_pages() {
  for (const PageChanges::Copy& copy : changes_.copies) {
    const auto bytes = static_cast<std::size_t>(need_.page[copy.kind]);
    const gpu::Memory& pages = buffers_.pages[copy.kind];
    api_->copy_within(pages.as(static_cast<std::size_t>(copy.to) * bytes),
                      pages.as(static_cast<std::size_t>(copy.from) * bytes),
                      bytes);
  }
  for (const auto& [first, count] : changes_.entries) {
    auto* const host = buffers_.page_table_host.as<std::int32_t>() + first;
    const auto bytes = static_cast<std::size_t>(count) * sizeof(std::int32_t);
    std::memcpy(host, pages_.table().data() + first, bytes);
    api_->copy_in(buffers_.page_table.as<std::int32_t>() + first, host, bytes);
  }
  changes_.clear();
}

void CudaEngine::run_pass(Turn& turn, Pass& pass) {
  update_pages();
  const bool is_captured =
      pass.scores() == pass.rows && pass.rows <= kMostCaptured &&
      pass.rows <= limits_.head_rows && turn.wants.any && !turn.wants.whole &&
      !turn.scores.hidden.defined() && turn.step.probe == nullptr;
  if (is_captured) {
    run_graph(turn, pass);
  } else {
    cut_tiles(pass);
    run_launches(turn, pass);
  }
}

}  // namespace penstock::gemma::cuda
