#include "core/text.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "penstock/keys.h"

namespace penstock::core {
namespace {

using TextJson = nlohmann::ordered_json;

/// {"texts": [{"text": ..., "score": ...}]} of an item that Decode found in.
Json scored(const Item& item, const std::string& text, double score,
            const double* best) {
  TextJson entry = {{"text", text}, {"score", score}};
  if (item.index > 0) entry["item"] = item.index;
  if (best != nullptr) entry["best_score"] = *best;
  return {TextJson{{"texts", TextJson::array({std::move(entry)})}}.dump(
      -1, ' ', false, TextJson::error_handler_t::replace)};
}

class ItemTextWriter final : public Writer {
 public:
  bool write(const Decoded& decoded, OutputSink& out) override {
    if (decoded.finish == Finish::kNo) return true;
    const Item& item = *decoded.item;
    const std::string* found = find(decoded.notes, kText);
    const std::string& text =
        found != nullptr ? *found : get(item.notes, kText);
    if (const double* score = find(decoded.notes, kScore)) {
      out.emit(scored(item, text, *score, find(decoded.notes, kBestScore)),
               decoded.branch, /*is_final=*/false);
    }
    lines_.begin(decoded, out);
    out.emit(text, decoded.branch, /*is_final=*/true);
    return true;
  }
  void end(OutputSink& /*out*/) override {}

 private:
  ItemLines lines_;
};

}  // namespace

void Text::declare(Declaration<Text>& d) {
  d.doc(
       "The text that decode found in each item, else the one that preprocess "
       "made of it, a line an item")
      .needs(kText)
      .uses(kScore, kBestScore)
      .light();
}

std::unique_ptr<Writer> Text::begin(const Request& /*request*/) const {
  return std::make_unique<ItemTextWriter>();
}

}  // namespace penstock::core
