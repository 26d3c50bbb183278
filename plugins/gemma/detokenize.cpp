#include "detokenize.h"

#include <map>
#include <utility>

#include "text_stream.h"

namespace penstock::gemma {
namespace {

class TextWriter final : public Writer {
 public:
  explicit TextWriter(std::shared_ptr<const Tokenizer> tokenizer)
      : tokenizer_(std::move(tokenizer)) {}

  bool write(const Decoded& decoded, OutputSink& out) override {
    const auto found =
        streams_.try_emplace(decoded.branch, TextStream(tokenizer_)).first;
    Tokens tokens = decoded.tokens;
    // The id that stopped the answer is no part of its text.
    if (decoded.finish == Finish::kStop && !tokens.empty()) tokens.pop_back();
    std::string text;
    for (const std::int64_t id : tokens) text += found->second.add(id);
    const bool is_final = decoded.finish != Finish::kNo;
    if (is_final) {
      text += found->second.finish();
      streams_.erase(found);
    }
    if (is_final || !text.empty()) {
      out.emit(std::move(text), decoded.branch, is_final);
    }
    return true;
  }

  void end(OutputSink& out) override {
    // Branches that were cut short: a cancelled or failed request.
    for (auto& [branch, stream] : streams_) {
      out.emit(stream.finish(), branch, /*is_final=*/true);
    }
  }

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::map<int, TextStream> streams_;
};

}  // namespace

void Detokenize::declare(Declaration<Detokenize>& d) {
  d.doc("Token ids to text, streamed; holds back what is no character yet")
      .input("tokens: i64[N]");
}

void Detokenize::open(StageContext& context) {
  tokenizer_ = Tokenizer::open(context.model);
}

std::unique_ptr<Writer> Detokenize::begin(const Request& /*request*/) const {
  return std::make_unique<TextWriter>(tokenizer_);
}

}  // namespace penstock::gemma
