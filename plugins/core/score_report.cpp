#include "core/score_report.h"

#include <cmath>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "core/score.h"
#include "penstock/keys.h"

namespace penstock::core {
namespace {

using OrderedJson = nlohmann::ordered_json;

Json as_json(const OrderedJson& json) {
  return {json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace)};
}

std::vector<std::string> pieces_of(const Item& item) {
  std::vector<std::string> pieces;
  std::istringstream in(get_or(item.notes, kPieces, ""));
  for (std::string piece; std::getline(in, piece, '\0');) {
    pieces.push_back(piece);
  }
  return pieces;
}

class ReportWriter final : public Writer {
 public:
  bool write(const Decoded& decoded, OutputSink& out) override {
    if (count_ == 0) pieces_ = pieces_of(*decoded.item);
    if (find(decoded.tensors, "ids") != nullptr) add(decoded, out);
    if (decoded.finish == Finish::kEnd) {
      finish(out);
      *this = ReportWriter();  // a next item has its own sums
    }
    return true;
  }
  void end(OutputSink& /*out*/) override {}

 private:
  void add(const Decoded& decoded, OutputSink& out) {
    const auto ids = get(decoded.tensors, "ids").contiguous();
    const auto logprobs = get(decoded.tensors, "logprobs").contiguous();
    const auto best = get(decoded.tensors, "best").contiguous();
    const std::int64_t from = scored_from(*decoded.item);
    OrderedJson tokens = OrderedJson::array();
    for (std::int64_t i = 0; i < ids.numel(); ++i) {
      const auto id = ids.const_data_ptr<std::int64_t>()[i];
      const double logprob = logprobs.const_data_ptr<float>()[i];
      const bool is_best = best.const_data_ptr<std::int64_t>()[i] == id;
      const auto at = static_cast<std::size_t>(from + count_++);
      sum_ += logprob;
      is_greedy_ &= is_best;
      OrderedJson token{{"id", id}};
      if (at < pieces_.size()) token["token"] = pieces_[at];
      token["logprob"] = logprob;
      token["is_best"] = is_best;
      tokens.push_back(std::move(token));
    }
    out.emit(as_json({{"tokens", std::move(tokens)}}), decoded.branch,
             /*is_final=*/false);
  }

  void finish(OutputSink& out) const {
    const double perplexity = std::exp(-sum_ / static_cast<double>(count_));
    out.emit(as_json({{"logprob", sum_},
                      {"token_count", count_},
                      {"perplexity", perplexity},
                      {"is_greedy", is_greedy_}}),
             /*branch=*/0, /*is_final=*/false);
    std::ostringstream text;
    text << std::fixed << std::setprecision(4) << "logprob " << sum_
         << "  tokens " << count_ << "  perplexity " << perplexity
         << "  greedy " << (is_greedy_ ? "yes" : "no");
    out.emit(text.str(), /*branch=*/0, /*is_final=*/true);
  }

  std::vector<std::string> pieces_;
  double sum_ = 0;
  std::int64_t count_ = 0;
  bool is_greedy_ = true;
};

}  // namespace

void ScoreReport::declare(Declaration<ScoreReport>& d) {
  d.doc("Log-likelihood, perplexity and each token's share, as text and JSON")
      .input("ids: i64[N]")
      .input("logprobs: f32[N]")
      .input("best: i64[N]")
      .uses(kPieces, kScoredFrom)
      .light();
}

std::unique_ptr<Writer> ScoreReport::begin(const Request& /*request*/) const {
  return std::make_unique<ReportWriter>();
}

}  // namespace penstock::core
