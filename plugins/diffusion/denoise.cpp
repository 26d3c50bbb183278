#include "diffusion/denoise.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/scalar_tensor.h>

#include <memory>

#include "diffusion/keys.h"
#include "penstock/dtype.h"
#include "penstock/parallel.h"

namespace penstock::diffusion {
namespace {

constexpr const char* kSample = "sample";
constexpr const char* kCondition = "condition";

/// Of an item.
struct Progress final : DecodeState {
  Progress(const Denoise::Params& chosen, const at::Tensor& noise)
      : params(chosen), sampler(chosen, noise) {}

  Denoise::Params params;
  Sampler sampler;
  at::Tensor condition, empty;  ///< what goes in with and without
  at::Tensor conditioned;       ///< what the model said with; else undefined
};

Progress& progress_of(const Item& item) {
  return static_cast<Progress&>(*item.state);
}

/// What the model gets in the next step.
Tensors asked(const Progress& state) {
  Tensors out{{kSample, state.sampler.input()},
              {"timestep", at::scalar_tensor(state.sampler.timestep())}};
  if (state.empty.defined()) {
    out.emplace_back(kCondition, state.conditioned.defined() ? state.empty
                                                             : state.condition);
  }
  return out;
}

/// Without the half that is a learned variance.
at::Tensor fitted(const at::Tensor& prediction, const at::Tensor& sample) {
  at::Tensor made = prediction;
  if (made.dim() == sample.dim() && made.dim() > 0 &&
      made.size(0) == 2 * sample.size(0)) {
    made = made.narrow(0, 0, sample.size(0));
  }
  if (made.sizes() != sample.sizes()) {
    throw Error(Code::kData,
                str("the model's prediction is ", tensor_type(prediction),
                    " and its sample ", tensor_type(sample),
                    "; expected the same shape, or twice the channels"));
  }
  if (!made.isfinite().all().item<bool>()) {
    throw ForwardFault("the model's prediction is not finite");
  }
  return made;
}

Decoded shown(const Progress& state, const at::Tensor& sample) {
  Decoded made;
  made.tensors = {{kSample, sample}};
  set(made.notes, kStep, static_cast<std::int64_t>(state.sampler.step()));
  set(made.notes, kSteps, static_cast<std::int64_t>(state.sampler.steps()));
  return made;
}

std::string denoise_conflict(const Denoise::Params& params) {
  return conflict_of(params);
}

using P = Denoise::Params;
using Text = std::string P::*;
using Count = std::int64_t P::*;
using Number = double P::*;
using Switch = bool P::*;

void declare_sampling(Declaration<Denoise>& d) {
  d.param("scheduler", static_cast<Text>(&P::scheduler),
          "ddim; euler; dpmpp_2m: DPM-Solver++ of second order, good with the "
          "fewest steps")
      .choices({"ddim", "euler", "dpmpp_2m"})
      .per_request();
  d.param("steps", static_cast<Count>(&P::steps),
          "how many times some noise is taken away")
      .range(1, 10000)
      .per_request();
  d.param("spacing", static_cast<Text>(&P::spacing),
          "which steps of the training are taken, timestep_spacing")
      .choices({"leading", "trailing", "linspace"});
  d.param("steps_offset", static_cast<Count>(&P::steps_offset),
          "added to the steps of leading")
      .range(0, 1000);
  d.param("karras", static_cast<Switch>(&P::karras),
          "noise levels of Karras et al., for euler and dpmpp_2m");
  d.param("clip", static_cast<Switch>(&P::clip),
          "of ddim: the clean sample is cut to -1..1 in each step, "
          "clip_sample");
  d.param("alpha_to_one", static_cast<Switch>(&P::alpha_to_one),
          "of ddim: the last step leaves no noise, set_alpha_to_one");
}

void declare_training(Declaration<Denoise>& d) {
  d.param("train_steps", static_cast<Count>(&P::train_steps),
          "of the training, num_train_timesteps of scheduler_config.json")
      .range(1, 100000);
  d.param("betas", static_cast<Text>(&P::betas),
          "of the training, beta_schedule (cosine: squaredcos_cap_v2)")
      .choices({"linear", "scaled_linear", "cosine"});
  d.param("beta_start", static_cast<Number>(&P::beta_start), "of the training")
      .range(0, 1);
  d.param("beta_end", static_cast<Number>(&P::beta_end), "of the training")
      .range(0, 1);
  d.param("prediction", static_cast<Text>(&P::prediction),
          "what the model says: the noise, v, or the clean sample")
      .choices({"epsilon", "v", "sample"});
}

}  // namespace

void Denoise::declare(Declaration<Denoise>& d) {
  d.doc(
       "Takes noise away step by step, as a model of diffusion says: DDIM, "
       "Euler, DPM++ 2M, with guidance")
      .input("prediction: f32[B,...]")
      .output("sample: f32[...]")
      .next_input("sample: f32[...]")
      .next_input("timestep: f32[]")
      .next_input("condition: f32[...]")
      .makes(kStep, kSteps)
      .light();
  declare_sampling(d);
  declare_training(d);
  d.param("guidance", &Params::guidance,
          "how far from what the model says without the condition, towards and "
          "beyond what it says with it; other than 1 asks it twice a step")
      .range(0, 100)
      .per_request();
  d.param("empty", &Params::empty,
          "what the condition is where the model is asked without: a number "
          "for every place; an input `empty` of the item goes before");
  d.param("preview_every", &Params::preview_every,
          "after so many steps what the model makes out behind the noise is "
          "given out; 0: the result alone")
      .range(0, 10000)
      .per_request();
  d.check(denoise_conflict);
}

void Denoise::start(Sequence& sequence) {
  const SerialOps serial;
  Item& item = *sequence.item;
  const auto& chosen = params<Params>(*this, *item.request);
  auto state = std::make_unique<Progress>(chosen, get(item.inputs, kSample));
  if (const at::Tensor* condition = find(item.inputs, kCondition)) {
    state->condition = *condition;
    if (chosen.guidance != 1) {
      const at::Tensor* empty = find(item.inputs, "empty");
      state->empty =
          empty != nullptr ? *empty : at::full_like(*condition, chosen.empty);
    }
  } else if (chosen.guidance != 1) {
    throw Error(Code::kData,
                "guidance: the model has no input 'condition'; give one that "
                "name with forward.names, or set guidance: 1");
  }
  sequence.inputs = asked(*state);
  item.state = std::move(state);
}

void Denoise::take(const at::Tensor& prediction, const Item& item,
                   Next& next) const {
  Progress& state = progress_of(item);
  at::Tensor said = fitted(prediction, state.sampler.sample());
  if (state.empty.defined()) {
    if (!state.conditioned.defined()) {
      state.conditioned = said.clone();
      next.inputs = asked(state);
      return;
    }
    said = said + (state.conditioned - said) * state.params.guidance;
    state.conditioned.reset();
  }
  state.sampler.advance(said);
  if (state.sampler.is_done()) {
    next.emit.push_back(shown(state, state.sampler.sample()));
    next.finish = Finish::kEnd;
    return;
  }
  const auto every = static_cast<std::size_t>(state.params.preview_every);
  if (every > 0 && state.sampler.step() % every == 0) {
    next.emit.push_back(shown(state, state.sampler.clean()));
  }
  next.inputs = asked(state);
}

void Denoise::decode(const Step& step, const Result& picked,
                     std::vector<Next>& out) {
  const SerialOps serial;  // few numbers
  const at::Tensor all = get(picked.out, "prediction").cpu();
  for (std::size_t i = 0; i < step.slices.size(); ++i) {
    Next& next = out.emplace_back();
    next.slice = i;
    try {
      take(all[static_cast<std::int64_t>(i)], *step.slices[i].sequence->item,
           next);
    } catch (const Error&) {
      next.error = std::current_exception();
    }
  }
}

}  // namespace penstock::diffusion
