#include "tokenize.h"

#include <algorithm>
#include <utility>

namespace penstock::gemma {
namespace {

/// No text has more bytes a token than this on average: longer input is
/// refused before it costs memory.
constexpr std::int64_t kBytesPerToken = 8;
constexpr std::int64_t kMostBytesUnknown = 1 << 20;

/// Cuts the prompt to `limit` tokens, the BOS stays. Gives how many went.
std::int64_t cut(Tokens& tokens, std::int64_t limit, bool has_bos,
                 bool from_left) {
  const std::int64_t over = static_cast<std::int64_t>(tokens.size()) - limit;
  if (over <= 0) return 0;
  if (from_left) {
    const auto first = tokens.begin() + (has_bos ? 1 : 0);
    tokens.erase(first, first + over);
  } else {
    tokens.resize(static_cast<std::size_t>(limit));
  }
  return over;
}

}  // namespace

void Tokenize::declare(Declaration<Tokenize>& d) {
  d.doc("Text to token ids, with sentencepiece, from GGUF or tokenizer.model")
      .output("tokens: i64[T]");
  d.param("input", &Params::input, "name of the request's text");
  d.param("add_bos", &Params::add_bos, "begin with the <bos> id").per_request();
  d.param("truncate", &Params::truncate,
          "which end of a prompt over the limit is cut; none: refuse it")
      .choices({"none", "left", "right"})
      .per_request();
  d.param("max_tokens", &Params::max_tokens,
          "longest prompt; 0: what the model's context holds")
      .range(0, 1e9)
      .per_request();
  d.param("pieces", &Params::pieces, "note how each token is spelled");
}

void Tokenize::open(StageContext& context) {
  if (context.model.empty()) {
    throw Error(Code::kNotFound,
                "no model is named; write `model:` into the "
                "pipeline file or pass --set model=...");
  }
  tokenizer_ = Tokenizer::open(context.model);
  context_length_ = tokenizer_->context_length();
  const auto length = context.facts.find("context_length");
  if (length != context.facts.end()) {
    context_length_ = std::get<std::int64_t>(length->second);
  }
  const auto vocab = context.facts.find("vocab_size");
  if (vocab != context.facts.end() &&
      std::get<std::int64_t>(vocab->second) != tokenizer_->size()) {
    throw Error(Code::kData, str("the tokenizer has ", tokenizer_->size(),
                                 " tokens, the model ",
                                 std::get<std::int64_t>(vocab->second),
                                 ": they do not belong together"));
  }
}

void Tokenize::preprocess(const Request& request, Sample in,
                          SampleSink& out) const {
  const Params& chosen = params<Params>(*this, request);
  // A stage before this one may have made the text of the request's inputs.
  const auto made = in.notes.find(chosen.input);
  const std::string text = made != in.notes.end()
                               ? std::get<std::string>(made->second)
                               : text_input(request, chosen.input);
  // One token of the context stays free for the answer.
  const std::int64_t limit = chosen.max_tokens > 0 ? chosen.max_tokens
                             : context_length_ > 0 ? context_length_ - 1
                                                   : kAll;
  const std::int64_t most_bytes = context_length_ > 0
                                      ? context_length_ * kBytesPerToken
                                      : kMostBytesUnknown;
  if (static_cast<std::int64_t>(text.size()) > most_bytes) {
    throw Error(Code::kData,
                str("the prompt has ", text.size(),
                    " bytes; the most this model takes is ", most_bytes, " (",
                    kBytesPerToken, " for each token of its context)"));
  }
  Tokens tokens = tokenizer_->encode(text);
  if (chosen.add_bos) tokens.insert(tokens.begin(), tokenizer_->bos());
  if (tokens.empty()) {
    throw Error(Code::kData,
                "the prompt is empty and add_bos is false: there "
                "is nothing to continue");
  }
  const auto count = static_cast<std::int64_t>(tokens.size());
  if (chosen.truncate != "none") {
    const std::int64_t gone =
        cut(tokens, limit, chosen.add_bos, chosen.truncate == "left");
    if (gone > 0) in.notes["truncated"] = gone;
  } else if (count > limit) {
    throw Error(Code::kData, str("the prompt has ", count,
                                 " tokens, the most "
                                 "is ",
                                 limit,
                                 "; shorten it, or pass --set "
                                 "preprocess.truncate=left (or right)"));
  }
  if (chosen.pieces) {
    std::string spelled;
    for (const std::int64_t id : tokens) {
      spelled += tokenizer_->spelling(id) + '\0';
    }
    in.notes["pieces"] = spelled;
  }
  in.tokens = std::move(tokens);
  out.push(std::move(in));
}

}  // namespace penstock::gemma
