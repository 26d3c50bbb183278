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
  d.param("calls_in_parts", &Params::calls_in_parts,
          "calls of tools come as they are written, the name first and then "
          "parts of the arguments; false: each when it is whole")
      .per_request();
  d.check(conflict);
}

void Detokenize::open(StageContext& context) {
  tokenizer_ =
      context.share<Tokenizer>([&] { return Tokenizer::open(context.model); });
  syntax_ = context.shared_by_another<tools::CallSyntax>();
}

std::unique_ptr<Writer> Detokenize::begin(const Request& request) const {
  const auto& chosen = params<Params>(*this, request);
  return std::make_unique<TextWriter>(
      tokenizer_, chosen.stop, has_tools(request) ? syntax_ : nullptr,
      chosen.calls_in_parts ? tools::CallsCome::kInParts
                            : tools::CallsCome::kWhole);
}

}  // namespace penstock::gemma
