#include "src/my_postprocess.h"

#include <string>
#include <utility>

namespace my_plugin {
namespace {

class NumberWriter final : public penstock::Writer {
 public:
  bool write(const penstock::Decoded& decoded,
             penstock::OutputSink& out) override {
    std::string text;
    for (const auto id : decoded.tokens) text += penstock::str(id, " ");
    const bool is_last = decoded.finish != penstock::Finish::kNo;
    out.emit(std::move(text), decoded.branch, is_last);
    return true;  // go on; false ends this answer
  }
  void end(penstock::OutputSink& /*out*/) override {}
};

}  // namespace

void MyPostprocessStage::declare(penstock::Declaration<MyPostprocessStage>& d) {
  d.doc("Writes token ids as numbers").input("tokens: i64[N]").light();
}

std::unique_ptr<penstock::Writer> MyPostprocessStage::begin(
    const penstock::Request& /*request*/) const {
  return std::make_unique<NumberWriter>();
}

}  // namespace my_plugin
