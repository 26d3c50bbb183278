#include "core/ctc.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/max.h>
#include <ATen/ops/maximum.h>

#include <limits>
#include <utility>

#include "core/each_item.h"
#include "lib/labels/label_file.h"
#include "penstock/keys.h"
#include "penstock/parallel.h"
#include "penstock/tensor_names.h"

namespace penstock::core {
namespace {

constexpr const char* kIds = "ids";
constexpr const char* kValues = "values";
constexpr float kLeast = -std::numeric_limits<float>::infinity();

}  // namespace

void Ctc::declare(Declaration<Ctc>& d) {
  d.doc("Text from a score for each character at each place (greedy CTC)")
      .input("logits: f32[B,T,K]")
      .makes(kText, kScore, kBestScore)
      .light();
  d.param("labels", &Params::labels,
          "file with the text of each class, by path or beside the model: one "
          "a line, or JSON; model: those in the model's metadata");
  d.param("blank", &Params::blank, "class that stands for no character")
      .range(0, 1e9);
  d.param("space", &Params::space,
          "behind the classes of the labels comes one for a space, as in "
          "models of PaddleOCR");
  d.param("activation", &Params::activation,
          "what makes scores of the model's numbers; none: they are "
          "probabilities")
      .choices({"none", "softmax"});
  d.param("threshold", &Params::threshold,
          "mean score below which a text is not given")
      .range(0, 1)
      .per_request();
  d.check([](const Params& params) -> std::string {
    return params.labels.empty()
               ? "labels is not set; name the file with the characters"
               : "";
  });
}

void Ctc::open(StageContext& context) {
  labels_ = labels::labels_named(params_.labels, context.model);
}

void Ctc::spell_classes(std::int64_t count) {
  if (static_cast<std::int64_t>(spelled_.size()) == count) return;
  const auto named = static_cast<std::int64_t>(labels_.size());
  std::vector<std::string> spelled = labels_;
  // A file may name the blank as well; then it has a name for each class.
  const std::int64_t extra = params_.space ? 1 : 0;
  if (params_.space) spelled.emplace_back(" ");
  if (named + extra + 1 == count && params_.blank <= named + extra) {
    spelled.insert(spelled.begin() + params_.blank, "");
  } else if (named + extra == count && params_.blank < count) {
    spelled[static_cast<std::size_t>(params_.blank)].clear();
  } else {
    throw Error(
        Code::kData,
        str("the model has ", count, " classes, blank is ", params_.blank,
            " and '", params_.labels, "' names ", named, " of them",
            named + 2 == count
                ? "; if the last is a space, set decode.space to true"
                : "; expected a name for each, with or without the blank"));
  }
  spelled_ = std::move(spelled);
}

/// Of the numbers that a class has at each place of logits[..., classes].
at::Tensor Ctc::scores_of(const at::Tensor& numbers,
                          const at::Tensor& logits) const {
  if (params_.activation != "softmax") return numbers;
  return (numbers - logits.logsumexp(-1)).exp();
}

Result Ctc::pick(const Step& /*step*/, Result result) {
  // A millisecond of one thread, after which a team would spin for longer.
  const SerialOps serial;
  const at::Tensor& logits = get(result.out, tensors::kLogits);
  const auto [best, ids] = logits.max(-1);
  Result out;
  out.out = {{kIds, ids},
             {kValues, scores_of(best, logits)},
             {tensors::kLogits, logits}};
  return out;
}

/// The best score of a character in [places, classes].
double Ctc::best_score(const at::Tensor& logits) const {
  const std::int64_t classes = logits.size(1);
  if (logits.size(0) == 0 || classes < 2) return 0;
  at::Tensor best = at::full({logits.size(0)}, kLeast);
  for (const auto& [first, count] :
       {std::pair{std::int64_t{0}, params_.blank},
        std::pair{params_.blank + 1, classes - params_.blank - 1}}) {
    if (count == 0) continue;
    best = at::maximum(best, logits.narrow(1, first, count).amax(1));
  }
  return scores_of(best, logits).max().item<double>();
}

Decoded Ctc::text_of(const Result& picked, std::int64_t row,
                     double threshold) const {
  const at::Tensor ids = get(picked.out, kIds)[row];
  const at::Tensor values = get(picked.out, kValues)[row];
  const auto* const id = ids.const_data_ptr<std::int64_t>();
  const auto* const value = values.const_data_ptr<float>();
  std::string text;
  double sum = 0;
  std::int64_t count = 0;
  for (std::int64_t t = 0; t < ids.numel(); ++t) {
    if (id[t] == params_.blank || (t > 0 && id[t] == id[t - 1])) continue;
    text += spelled_[static_cast<std::size_t>(id[t])];
    sum += value[t];
    ++count;
  }
  const double score = count > 0 ? sum / static_cast<double>(count) : 0;
  const bool is_found = count > 0 && score >= threshold;
  Decoded made;
  set(made.notes, kText, is_found ? text : "");
  set(made.notes, kScore, is_found ? score : 0);
  if (!is_found) {
    set(made.notes, kBestScore,
        count > 0 ? score : best_score(get(picked.out, tensors::kLogits)[row]));
  }
  return made;
}

void Ctc::decode(const Step& step, const Result& picked,
                 std::vector<Next>& out) {
  const SerialOps serial;
  const at::Tensor& logits = get(picked.out, tensors::kLogits);
  spell_classes(logits.size(-1));
  Result here;
  for (const char* const name : {kIds, kValues}) {
    here.out.emplace_back(name, get(picked.out, name).cpu().contiguous());
  }
  here.out.emplace_back(tensors::kLogits, logits);
  each_item(step, out, [&](std::int64_t row, const Item& item) {
    if (!get(here.out, kValues)[row].isfinite().all().item<bool>()) {
      throw ForwardFault("the model's answer is not finite");
    }
    return text_of(here, row, params<Params>(*this, *item.request).threshold);
  });
}

}  // namespace penstock::core
