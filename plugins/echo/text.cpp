#include "echo/text.h"

#include <map>
#include <string>

#include "echo/vocabulary.h"
#include "penstock/text.h"

namespace penstock::echo {
namespace {

class TextWriter final : public Writer {
 public:
  bool write(const Decoded& decoded, OutputSink& out) override {
    lines_.begin(decoded, out);
    std::string& held = held_[decoded.branch];
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
  ItemLines lines_;
  std::map<int, std::string> held_;  ///< by branch: the start of a character
};

}  // namespace

void Text::declare(Declaration<Text>& d) {
  d.doc("Bytes to text, streamed").input("tokens: i64[N]").light();
}

std::unique_ptr<Writer> Text::begin(const Request& /*request*/) const {
  return std::make_unique<TextWriter>();
}

}  // namespace penstock::echo
