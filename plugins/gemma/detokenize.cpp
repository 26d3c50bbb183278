#include "gemma/detokenize.h"

#include <algorithm>
#include <utility>

#include "gemma/call_json.h"
#include "gemma/text_writer.h"

namespace penstock::gemma {
namespace {

constexpr std::size_t kMostStops = 16;
constexpr std::size_t kMostBytes = 1024;

std::string conflict(const Detokenize::Params& params) {
  if (params.stop.size() > kMostStops) {
    return str("stop: ", params.stop.size(),
               " texts are too many; the most is ", kMostStops);
  }
  for (const std::string& text : params.stop) {
    if (text.empty()) return "stop: an empty text would stop everything";
    if (text.size() > kMostBytes) {
      return str("stop: a text of ", text.size(), " bytes; the most is ",
                 kMostBytes);
    }
  }
  return "";
}

}  // namespace

void Detokenize::declare(Declaration<Detokenize>& d) {
  d.doc("Token ids to text, streamed; holds back what is no character yet")
      .input("tokens: i64[N]")
      .light();
  d.param("stop", &Params::stop,
          "texts that end the answer and are not shown, also where they span "
          "several tokens")
      .per_request();
  d.check(conflict);
}

void Detokenize::open(StageContext& context) {
  tokenizer_ =
      context.share<Tokenizer>([&] { return Tokenizer::open(context.model); });
  syntax_ = context.shared_by_another<tools::CallSyntax>();
}

std::unique_ptr<Writer> Detokenize::begin(const Request& request) const {
  return std::make_unique<TextWriter>(tokenizer_,
                                      params<Params>(*this, request).stop,
                                      has_tools(request) ? syntax_ : nullptr);
}

}  // namespace penstock::gemma
