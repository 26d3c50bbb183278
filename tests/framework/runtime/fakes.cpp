#include "tests/framework/runtime/fakes.h"

#include <algorithm>
#include <sstream>

#include "core/continuous.h"
#include "core/pad.h"
#include "tests/framework/runtime/ring_model.h"

namespace penstock::fakes {
namespace {

/// "3 1 4" to tokens; several items where '/' stands between.
class Numbers final : public Preprocess {
 public:
  using Params = fakes::Params;
  static void declare(Declaration<Numbers>& d) {
    d.doc("The numbers of a text.").output("tokens: i64[T]");
    d.param("script", &Params::script, "what happens when");
  }
  explicit Numbers(const Params& params) : script_(script_of(params)) {}

  void preprocess(const Request& request, Item /*in*/,
                  ItemSink& out) const override {
    if (script_.in_preprocess) script_.in_preprocess(request);
    std::istringstream all(text_input(request));
    for (std::string part; std::getline(all, part, '/');) {
      Item item;
      item.width = script_.items;
      std::istringstream in(part);
      for (std::int64_t token = 0; in >> token;) {
        item.tokens.push_back(token);
      }
      out.push(std::move(item));
    }
  }

 private:
  Script& script_;
};

/// The best token; forks at the prompt; drafts what would follow by the book.
class Greedy final : public Decode {
 public:
  using Params = fakes::Params;
  static void declare(Declaration<Greedy>& d) {
    d.doc("The best token each time.")
        .input("scores: f32[R,V]")
        .output("tokens: i64[N]");
    d.param("script", &Params::script, "what happens when");
    d.param("max_new", &Params::max_new, "0: the script's")
        .range(0, 1000)
        .per_request();
  }
  explicit Greedy(const Params& params) : script_(script_of(params)) {}

  void start(Sequence& sequence) override { sequence.want.top = 4; }

  void decode(const Step& step, const Result& picked,
              std::vector<Next>& out) override {
    for (std::size_t i = 0; i < step.slices.size(); ++i) {
      if (step.slices[i].outs > 0) answer_for(step, i, picked.scores, out);
    }
  }

 private:
  void answer_for(const Step& step, std::size_t i, const Scores& scores,
                  std::vector<Next>& out) {
    const Slice& slice = step.slices[i];
    const Sequence& sequence = *slice.sequence;
    const bool is_first = sequence.generated() == 0;
    const int children = is_first ? sequence.item->width : 1;
    for (int child = 0; child < children; ++child) {
      Next next;
      next.slice = i;
      next.branch = is_first ? child : sequence.branch;
      try {
        if (script_.in_decode) script_.in_decode(sequence);
        choose(slice, scores, next);
      } catch (...) {
        next.error = std::current_exception();
      }
      out.push_back(std::move(next));
    }
  }

  void choose(const Slice& slice, const Scores& scores, Next& next) {
    const Sequence& sequence = *slice.sequence;
    // The first token of branch b is the b-th best, later ones the best.
    const int rank = sequence.generated() == 0 ? next.branch : 0;
    const auto* ids = scores.ids.const_data_ptr<std::int64_t>();
    const auto* values = scores.values.const_data_ptr<float>();
    const std::int64_t width = scores.ids.size(1);
    for (std::int64_t j = 0; j < slice.outs; ++j) {
      const std::int64_t at = (slice.out + j) * width + rank;
      if (!(values[at] >= 0)) throw Error(Code::kInternal, "NaN in scores");
      next.tokens.push_back(ids[at]);
      const bool is_guessed =
          j < static_cast<std::int64_t>(sequence.draft.size()) &&
          sequence.draft[static_cast<std::size_t>(j)] == ids[at];
      if (!is_guessed) break;
      ++script_.accepted;
    }
    const std::int64_t chosen =
        params<Params>(*this, *sequence.item->request).max_new;
    const std::int64_t most = chosen > 0 ? chosen : script_.max_new;
    const std::int64_t room = most - sequence.generated();
    if (static_cast<std::int64_t>(next.tokens.size()) >= room) {
      next.tokens.resize(static_cast<std::size_t>(room));
      next.finish = Finish::kLength;
    } else {
      draft(sequence, next);
    }
    next.emit.emplace_back().tokens = next.tokens;
  }

  /// Half right: the token by the book, then a wrong one.
  void draft(const Sequence& sequence, Next& next) const {
    Tokens tokens = sequence.tokens;
    tokens.insert(tokens.end(), next.tokens.begin(), next.tokens.end());
    for (std::int64_t i = 0; i < script_.drafts; ++i) {
      const std::int64_t right = next_token(tokens);
      next.draft.push_back(i % 2 == 0 ? right : (right + 1) % kVocab);
      tokens.push_back(next.draft.back());
    }
  }

  Script& script_;
};

class Join final : public Postprocess {
 public:
  using Params = fakes::Params;
  static void declare(Declaration<Join>& d) {
    d.doc("The tokens as a text.").input("tokens: i64[N]");
    d.param("script", &Params::script, "what happens when");
  }
  explicit Join(const Params& params) : script_(script_of(params)) {}

  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override {
    return std::make_unique<Numbered>(script_, request);
  }

 private:
  class Numbered final : public Writer {
   public:
    Numbered(Script& script, const Request& request)
        : script_(script), request_(request) {}
    bool write(const Decoded& decoded, OutputSink& out) override {
      if (script_.in_writer) script_.in_writer(request_);
      count_ += static_cast<std::int64_t>(decoded.tokens.size());
      out.emit(text_of(decoded.tokens), decoded.branch,
               decoded.finish != Finish::kNo);
      return script_.stop_after < 0 || count_ < script_.stop_after;
    }
    void end(OutputSink& /*out*/) override {}

   private:
    Script& script_;
    const Request& request_;
    std::int64_t count_ = 0;
  };
  Script& script_;
};

/// Changes what core.continuous plans, to see that the runtime checks it.
class Meddler final : public Batch {
 public:
  Meddler(Script& script, const core::Continuous::Params& params)
      : script_(script), inner_(params) {}
  [[nodiscard]] int max_sequences() const override {
    return inner_.max_sequences();
  }
  [[nodiscard]] std::int64_t max_step_tokens() const override {
    return inner_.max_step_tokens();
  }
  [[nodiscard]] bool shares_prefixes() const override {
    return inner_.shares_prefixes();
  }
  [[nodiscard]] std::int64_t kept_bytes() const override {
    return inner_.kept_bytes();
  }
  [[nodiscard]] Plan plan(const Offer& offer) override {
    inner_.index = index;
    Plan made = inner_.plan(offer);
    return script_.change_plan ? script_.change_plan(std::move(made)) : made;
  }
  [[nodiscard]] Tensors collate(std::span<const Slice> slices) override {
    return inner_.collate(slices);
  }
  void observe(const Step& step, double seconds) override {
    inner_.observe(step, seconds);
  }

 private:
  Script& script_;
  core::Continuous inner_;
};

template <class T>
StageSpec spec_of(const std::string& name) {
  Registry registry("fake");
  registry.add<T>(name);
  return registry.specs().front();
}

StageSpec batch_spec(Script& script, const Setup& setup) {
  StageSpec spec;
  if (setup.sequences == Rows::kPadded) {
    spec = spec_of<core::Pad>("pad");
    spec.make = [setup](const void*) -> std::unique_ptr<Stage> {
      core::Pad::Params params;
      params.max_sequences = setup.max_sequences;
      params.max_wait_ms = setup.max_wait_ms;
      return std::make_unique<core::Pad>(params);
    };
  } else {
    spec = spec_of<core::Continuous>("continuous");
    spec.make = [setup, &script](const void*) -> std::unique_ptr<Stage> {
      core::Continuous::Params params;
      params.max_sequences = setup.max_sequences;
      params.max_wait_ms = setup.max_wait_ms;
      params.chunk = setup.chunk;
      params.max_step_tokens = setup.max_step_tokens;
      params.prefix_cache = setup.prefix_cache;
      params.kept_mib = setup.kept_mib;
      params.step_ms = setup.step_ms;
      return std::make_unique<Meddler>(script, params);
    };
  }
  return spec;
}

StageConfig config(const StageSpec& spec, Script& script) {
  StageConfig made;
  made.spec = &spec;
  made.device = "cpu";
  const auto params = spec.params.make();
  if (const auto* found = spec.params.find("script")) {
    spec.params.set(params.get(), *found,
                    reinterpret_cast<std::int64_t>(&script));
  }
  made.params = params;
  return made;
}

}  // namespace

std::int64_t next_token(const Tokens& tokens, int branch) {
  const auto from =
      tokens.size() > kWindow ? tokens.end() - kWindow : tokens.begin();
  const Tokens recent(from, tokens.end());
  std::vector<std::pair<float, std::int64_t>> scores;
  for (std::int64_t v = 0; v < kVocab; ++v) {
    scores.emplace_back(-score_of(recent, v), v);
  }
  std::sort(scores.begin(), scores.end());
  return scores[static_cast<std::size_t>(branch)].second;
}

Tokens answer(Tokens prompt, int count, int branch) {
  Tokens made;
  for (int i = 0; i < count; ++i) {
    made.push_back(next_token(prompt, i == 0 ? branch : 0));
    prompt.push_back(made.back());
  }
  return made;
}

PipelineFile file(Script& script, const Setup& setup) {
  // Kept for the process: configs point to their specs.
  static std::mutex mutex;
  static std::deque<StageSpec> specs;
  const std::scoped_lock lock(mutex);
  const auto add = [&](StageSpec spec) {
    return config(specs.emplace_back(std::move(spec)), script);
  };
  PipelineFile made;
  made.name = "fake";
  made.preprocess = {add(spec_of<Numbers>("numbers"))};
  made.batch = add(batch_spec(script, setup));
  made.forward = add(spec_of<RingModel>("ring"));
  made.decode = add(spec_of<Greedy>("greedy"));
  made.postprocess = add(spec_of<Join>("join"));
  script.slots = static_cast<int>(setup.max_sequences);
  return made;
}

void Collect::piece(const Request& /*request*/, const Value& value, int branch,
                    bool /*is_final*/) {
  if (on_piece) on_piece();
  const std::scoped_lock lock(mutex_);
  texts_[branch] += std::get<std::string>(value);
  ++pieces_;
}

void Collect::done(const Request& /*request*/, const Report& report) {
  {
    const std::scoped_lock lock(mutex_);
    report_ = report;
    ++times_done;
  }
  ended_.notify_all();
}

const Report& Collect::wait() {
  std::unique_lock lock(mutex_);
  if (!ended_.wait_for(lock, std::chrono::seconds(60),
                       [&] { return report_.has_value(); })) {
    throw std::runtime_error("the request did not end within 60 s");
  }
  return *report_;
}

bool Collect::is_done() {
  const std::scoped_lock lock(mutex_);
  return report_.has_value();
}
std::string Collect::text(int branch) {
  const std::scoped_lock lock(mutex_);
  return texts_[branch];
}
int Collect::pieces() {
  const std::scoped_lock lock(mutex_);
  return pieces_;
}

Request request(const std::string& id, const std::string& text) {
  Request made;
  made.id = id;
  made.inputs["text"] = text;
  return made;
}

std::string text_of(const Tokens& tokens) {
  std::string text;
  for (const std::int64_t token : tokens) text += str(token, " ");
  return text;
}

}  // namespace penstock::fakes
