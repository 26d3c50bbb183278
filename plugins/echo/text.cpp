#include "echo/text.h"

#include <map>
#include <string>
#include <utility>

#include "echo/vocabulary.h"
#include "penstock/text.h"

namespace penstock::echo {
namespace {

class TextWriter final : public Writer {
 public:
  bool write(const Decoded& decoded, OutputSink& out) override {
    std::string& held = held_[decoded.branch];
    const std::int64_t item = decoded.item->index;
    const auto last = items_.try_emplace(decoded.branch, item).first;
    if (std::exchange(last->second, item) != item) {
      out.emit("\n", decoded.branch, /*is_final=*/false);
    }
    for (const std::int64_t token : decoded.tokens) {
      if (token < kEnd) held += static_cast<char>(token);
    }
    const bool is_over = decoded.finish != Finish::kNo;
    const std::size_t whole = is_over ? held.size() : complete_utf8(held);
    out.emit(replace_invalid_utf8(held.substr(0, whole)), decoded.branch,
             is_over);
    held.erase(0, whole);
    return true;
  }
  void end(OutputSink& /*out*/) override {}

 private:
  std::map<int, std::string> held_;    ///< by branch: the start of a character
  std::map<int, std::int64_t> items_;  ///< by branch: which it wrote of last
};

}  // namespace

void Text::declare(Declaration<Text>& d) {
  d.doc("Bytes to text, streamed").input("tokens: i64[N]");
}

std::unique_ptr<Writer> Text::begin(const Request& /*request*/) const {
  return std::make_unique<TextWriter>();
}

}  // namespace penstock::echo
