#include "core/text.h"

#include "penstock/keys.h"

namespace penstock::core {
namespace {

class ItemTextWriter final : public Writer {
 public:
  bool write(const Decoded& decoded, OutputSink& out) override {
    if (decoded.finish == Finish::kNo) return true;
    lines_.begin(decoded, out);
    out.emit(get(decoded.item->notes, kText), decoded.branch,
             /*is_final=*/true);
    return true;
  }
  void end(OutputSink& /*out*/) override {}

 private:
  ItemLines lines_;
};

}  // namespace

void Text::declare(Declaration<Text>& d) {
  d.doc("The text that preprocess made of each item, a line an item")
      .needs(kText)
      .light();
}

std::unique_ptr<Writer> Text::begin(const Request& /*request*/) const {
  return std::make_unique<ItemTextWriter>();
}

}  // namespace penstock::core
