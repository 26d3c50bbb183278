#include "diffusion/noise.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scalar_tensor.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "diffusion/keys.h"
#include "penstock/dtype.h"
#include "penstock/keys.h"

namespace penstock::diffusion {
namespace {

constexpr std::int64_t kMostNumbers = std::int64_t{1} << 28;

std::string noise_conflict(const Noise::Params& params) {
  std::int64_t numbers = 1;
  for (const std::int64_t size : params.shape) {
    if (size < 1 || size > kMostNumbers / numbers) {
      return "shape: a size is below 1, or they are over 2^28 numbers";
    }
    numbers *= size;
  }
  if (params.shape.empty()) {
    return "shape: say that of the model's sample without its batch, such as "
           "[1, 16, 16]";
  }
  if (!params.classes.empty() && params.condition != "class") {
    return "classes: names are for condition: class";
  }
  return "";
}

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

}  // namespace

void Noise::declare(Declaration<Noise>& d) {
  d.doc("What a denoising model begins with: noise of a seed")
      .uses(kText)
      .makes(kSeed)
      .light();
  d.param("shape", &Params::shape,
          "of the model's sample without its batch: channels, height, width");
  d.param("seed", &Params::seed,
          "the same seed gives the same noise, that of "
          "torch.Generator().manual_seed(seed)")
      .range(0, 9007199254740992.0)
      .per_request();
  d.param("count", &Params::count,
          "samples of a request, with the seeds seed, seed + 1, ...")
      .range(1, 1024)
      .per_request();
  d.param("timestep", &Params::timestep,
          "dtype of the model's input timestep; none: it has no such input")
      .choices({"i64", "f32", "none"});
  d.param("condition", &Params::condition,
          "class: the text is a number or a name of `classes`, the model's "
          "input condition: i64; none: it has no such input, or a stage before "
          "this one makes it")
      .choices({"none", "class"});
  d.param("classes", &Params::classes, "names of classes, from 0");
  d.check(noise_conflict);
}

Ports Noise::describe(const Params& params) {
  Ports ports;
  Port sample{.name = "sample", .dtype = "f32", .dims = {}, .facts = {}};
  for (const std::int64_t size : params.shape) {
    sample.dims.push_back(std::to_string(size));
  }
  ports.outputs.push_back(sample);
  if (params.timestep != "none") {
    ports.outputs.push_back({.name = "timestep",
                             .dtype = params.timestep,
                             .dims = {},
                             .facts = {}});
  }
  if (params.condition == "class") {
    ports.outputs.push_back(
        {.name = "condition", .dtype = "i64", .dims = {}, .facts = {}});
  }
  return ports;
}

std::int64_t Noise::class_of(const std::string& text) const {
  const std::string word = trimmed(text);
  const auto named =
      std::find(params_.classes.begin(), params_.classes.end(), word);
  if (named != params_.classes.end()) return named - params_.classes.begin();
  std::int64_t number = 0;
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, number);
  const std::int64_t classes =
      params_.classes.empty()
          ? std::numeric_limits<std::int64_t>::max()
          : static_cast<std::int64_t>(params_.classes.size());
  if (error == std::errc() && stop == end && number >= 0 && number < classes) {
    return number;
  }
  std::string known;
  for (const auto& name : params_.classes) {
    known += (known.empty() ? "" : ", ") + name;
  }
  throw Error(Code::kData, str("the text '", word, "' is no class",
                               suggestion(word, params_.classes), "; expected ",
                               known.empty() ? "a number from 0" : known));
}

void Noise::preprocess(const Request& request, Item in, ItemSink& out) const {
  const auto& own = params<Params>(*this, request);
  Tensors inputs = in.inputs;
  if (params_.timestep != "none") {
    inputs.emplace_back(
        "timestep", at::scalar_tensor(0, *scalar_type_of(params_.timestep)));
  }
  if (params_.condition == "class") {
    inputs.emplace_back(
        "condition",
        at::scalar_tensor(class_of(text_of(request, in)), at::kLong));
  }
  for (std::int64_t i = 0; i < own.count; ++i) {
    const std::int64_t seed = own.seed + i;
    const auto generator =
        at::detail::createCPUGenerator(static_cast<std::uint64_t>(seed));
    Item item;
    item.inputs = inputs;
    item.inputs.emplace_back("sample", at::randn(params_.shape, generator));
    item.notes = in.notes;
    set(item.notes, kSeed, seed);
    out.push(std::move(item));
  }
}

}  // namespace penstock::diffusion
