#include "gemma/tokenize.h"

#include <algorithm>
#include <utility>

#include "gemma/chat_tokens.h"
#include "gemma/checkpoint.h"
#include "gemma/shared_vocabulary.h"
#include "gemma/token_ids.h"
#include "gemma/tool_prompt.h"
#include "penstock/keys.h"
#include "penstock/too_long.h"

namespace penstock::gemma {
namespace {

/// No text has more bytes a token than this on average: longer input is
/// refused before it costs memory.
constexpr std::int64_t kBytesPerToken = 8;
constexpr std::int64_t kMostBytesUnknown = 1 << 20;
/// That sentencepiece and the tables around it take for a piece; measured with
/// Gemma's 262,144.
constexpr std::int64_t kPieceBytes = 190;
constexpr const char* kAdvice =
    "; shorten it, or pass --set preprocess.truncate=left (or middle, right)";

/// What of `size` things to cut to keep `limit`, `kept` of them at the front in
/// any case: from where, and how many.
struct Cut {
  std::size_t from = 0, count = 0;

  Cut(std::size_t size, std::size_t limit, std::size_t kept,
      const std::string& end) {
    if (size <= limit) return;
    count = size - limit;
    const std::size_t rest = limit - std::min(limit, kept);
    from = limit - rest;
    if (end == "right") from = limit;
    if (end == "middle") from += rest / 2;
  }
};

bool is_inside_character(const std::string& text, std::size_t at) {
  return at < text.size() &&
         (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
}

/// Where the continuation begins after `gone` tokens before it were cut.
/// Throws where it would have lost some itself, or all that comes before it.
void move_scored(Item& item, const Tokenize::Params& chosen,
                 std::int64_t gone) {
  const std::int64_t* from = find(item.notes, kScoredFrom);
  if (from == nullptr) return;
  if (chosen.truncate != "left" || *from - gone < 1) {
    throw Error(
        Code::kData,
        str("the continuation would be cut: text and continuation are ", gone,
            " tokens too long; shorten them, or pass --set "
            "preprocess.truncate=left to cut the text"));
  }
  set(item.notes, kScoredFrom, *from - gone);
}

/// Cuts whole characters of a text that is longer than any that could fit.
void cut_text(std::string& text, std::size_t limit, const std::string& end) {
  const Cut cut(text.size(), limit, 0, end);
  std::size_t from = cut.from;
  std::size_t to = cut.from + cut.count;
  while (from > 0 && is_inside_character(text, from)) --from;
  while (is_inside_character(text, to)) ++to;
  text.erase(from, to - from);
}

/// An input that is JSON, or a text that holds it.
std::optional<JsonValue> json_input(const Request& request,
                                    const std::string& name) {
  const auto found = request.inputs.find(name);
  if (found == request.inputs.end()) return std::nullopt;
  if (const auto* json = std::get_if<Json>(&found->second)) {
    return parse_json(json->text, name);
  }
  return parse_json(text_input(request, name), name);
}

void declare_chat(Declaration<Tokenize>& d) {
  d.param("chat", &Tokenize::Params::chat,
          "treat a plain text as the first message of a conversation")
      .chats()
      .per_request();
  d.param("chat_template", &Tokenize::Params::chat_template,
          "auto: the model's own template, else Gemma's; gemma; or the path of "
          "a Jinja template");
  d.param("system", &Tokenize::Params::system,
          "system message of a conversation that has none of its own")
      .per_request();
  d.param("add_generation_prompt", &Tokenize::Params::add_generation_prompt,
          "end the conversation's prompt where the model's answer begins")
      .per_request();
  std::vector<std::string> syntaxes = tools::syntax_names();
  syntaxes.insert(syntaxes.begin(), "auto");
  d.param("tool_calls", &Tokenize::Params::tool_calls,
          "how the model writes calls of a request's `tools`; auto: as its "
          "template says, else in fences")
      .choices(std::move(syntaxes));
}

}  // namespace

void Tokenize::declare(Declaration<Tokenize>& d) {
  d.doc(
       "Text to token ids, with sentencepiece, from GGUF, tokenizer.model or "
       "tokenizer.json; a request's token_ids are taken as they are")
      .output("tokens: i64[T]")
      .uses(kText, kContextLength, kVocabSize)
      .makes(kPieces, kScoredFrom, kTruncated, kTruncatedBytes);
  d.param("input", &Params::input, "name of the request's text");
  d.param("continuation", &Params::continuation,
          "name of a second text that continues the first and is scored; "
          "empty: none");
  d.param(
       "add_bos", &Params::add_bos,
       "begin a text with the <bos> id, unless the model's files say that it "
       "has none")
      .per_request();
  d.param("truncate", &Params::truncate,
          "end at which a prompt over the limit is cut; none: refuse it")
      .choices({"none", "left", "middle", "right"})
      .per_request();
  d.param("max_tokens", &Params::max_tokens,
          "longest prompt in tokens; 0: the model's context length")
      .range(0, 1e9)
      .per_request();
  declare_chat(d);
  d.param("pieces", &Params::pieces, "report how each token is spelled")
      .shows();
}

Footprint Tokenize::memory(const StageContext& context) const {
  if (context.model.empty()) return {.is_known = false};
  try {
    return {.bytes = Checkpoint(context.model).config().vocab * kPieceBytes};
  } catch (const Error&) {
    return {.is_known = false};  // a tokenizer without a model
  }
}

void Tokenize::open(StageContext& context) {
  if (context.model.empty()) {
    throw Error(Code::kNotFound,
                "no model is named; write `model:` into the "
                "pipeline file or pass --set model=...");
  }
  tokenizer_ =
      context.share<Tokenizer>([&] { return Tokenizer::open(context.model); });
  (void)context.share<penstock::Vocabulary>(
      [&] { return std::make_shared<SharedVocabulary>(tokenizer_); });
  context_length_ =
      get_or(context.facts, kContextLength, tokenizer_->context_length());
  try {
    template_.emplace(context.model, params_.chat_template);
  } catch (const Error& error) {
    // Of no matter to those who only continue texts.
    if (params_.chat || params_.chat_template != "auto") throw;
    no_template_ = error;
  }
  syntax_ = context.share<tools::CallSyntax>([&] {
    return std::make_shared<const tools::CallSyntax>(call_syntax(
        params_.tool_calls, template_ ? template_->source() : "", *tokenizer_));
  });
  const std::int64_t vocab = get_or(context.facts, kVocabSize, kAll);
  if (vocab < tokenizer_->size()) {
    throw Error(Code::kData, str("the tokenizer has ", tokenizer_->size(),
                                 " tokens, the model ", vocab,
                                 ": they do not belong together"));
  }
}

bool Tokenize::has_bos(const Params& chosen) const {
  return chosen.add_bos && tokenizer_->adds_bos();
}

std::int64_t Tokenize::fit_text(std::string& text,
                                const std::string& end) const {
  const std::int64_t most = context_length_ > 0
                                ? context_length_ * kBytesPerToken
                                : kMostBytesUnknown;
  const auto size = static_cast<std::int64_t>(text.size());
  if (size <= most) return 0;
  if (end == "none") {
    throw Error(
        Code::kData,
        str(kPromptHas, size, " bytes; the most this model takes is ", most,
            " (", kBytesPerToken, " for each token of its context)", kAdvice));
  }
  cut_text(text, static_cast<std::size_t>(most), end);
  return size - static_cast<std::int64_t>(text.size());
}

std::int64_t Tokenize::fit_tokens(Tokens& tokens, const Params& chosen) const {
  // One token of the context stays free for the answer.
  const std::int64_t limit = chosen.max_tokens > 0 ? chosen.max_tokens
                             : context_length_ > 0 ? context_length_ - 1
                                                   : kAll;
  const auto size = static_cast<std::int64_t>(tokens.size());
  if (size <= limit) return 0;
  if (chosen.truncate == "none") {
    throw Error(Code::kData,
                str(kPromptHas, size, " tokens, the most is ", limit, kAdvice));
  }
  const bool begins = !tokens.empty() && tokens[0] == tokenizer_->bos();
  const Cut cut(tokens.size(), static_cast<std::size_t>(limit), begins ? 1 : 0,
                chosen.truncate);
  const auto from = tokens.begin() + static_cast<std::ptrdiff_t>(cut.from);
  tokens.erase(from, from + static_cast<std::ptrdiff_t>(cut.count));
  return size - limit;
}

Tokens Tokenize::of_text(const Request& request, const Params& chosen,
                         Item& item) const {
  std::string text = penstock::text_of(request, item, chosen.input);
  const std::int64_t bytes = fit_text(text, chosen.truncate);
  if (bytes > 0) set(item.notes, kTruncatedBytes, bytes);
  // What is continued is written as a template writes: its control words count.
  Tokens tokens = encode_chat(*tokenizer_, jinja::Text(text));
  if (has_bos(chosen)) tokens.insert(tokens.begin(), tokenizer_->bos());
  if (tokens.empty()) {
    throw Error(
        Code::kData,
        "the prompt is empty and begins without <bos>: there is nothing "
        "to continue");
  }
  add_continuation(request, chosen, item, tokens);
  return tokens;
}

/// Encoded on its own, so that its first token is no longer one with the end of
/// the text before it.
void Tokenize::add_continuation(const Request& request, const Params& chosen,
                                Item& item, Tokens& tokens) const {
  const std::string& name = chosen.continuation;
  if (name.empty() || !request.inputs.contains(name)) return;
  std::string text = text_input(request, name);
  (void)fit_text(text, "none");
  const Tokens more =
      encode_chat(*tokenizer_, jinja::Text(text), /*is_begin=*/false);
  if (more.empty()) {
    throw Error(Code::kData, str("input '", name,
                                 "' is empty: there is nothing to score; to "
                                 "score the whole text, leave it out"));
  }
  set(item.notes, kScoredFrom, static_cast<std::int64_t>(tokens.size()));
  tokens.insert(tokens.end(), more.begin(), more.end());
}

Tokens Tokenize::tokens_of(const Request& request, const Params& chosen,
                           Item& item) const {
  if (auto ids = token_ids(request, tokenizer_->size())) {
    add_continuation(request, chosen, item, *ids);
    return *std::move(ids);
  }
  const bool is_chat = chosen.chat || request.inputs.contains("messages");
  return is_chat ? of_chat(request, chosen, item)
                 : of_text(request, chosen, item);
}

Tokens Tokenize::of_chat(const Request& request, const Params& chosen,
                         const Item& item) const {
  if (no_template_) throw Error(*no_template_);
  const auto messages = json_input(request, "messages");
  const auto tools = json_input(request, "tools");
  const JsonValue said =
      messages ? *messages
               : user_message(penstock::text_of(request, item, chosen.input));
  const JsonValue turns = messages_for(
      *template_, said, tools ? &*tools : nullptr, *syntax_, chosen.system);
  const jinja::Text text =
      template_->write({.messages = turns,
                        .tools = tools ? &*tools : nullptr,
                        .system = chosen.system,
                        .bos = tokenizer_->spelling(tokenizer_->bos()),
                        .eos = "<eos>",
                        .has_prompt = chosen.add_generation_prompt});
  std::string whole = text.bytes();
  (void)fit_text(whole, "none");  // half a turn would be no conversation
  Tokens tokens = encode_chat(*tokenizer_, text);
  if (tokens.empty()) {
    throw Error(Code::kData, "the chat template wrote nothing");
  }
  return tokens;
}

void Tokenize::preprocess(const Request& request, Item in,
                          ItemSink& out) const {
  const auto& chosen = params<Params>(*this, request);
  Tokens tokens = tokens_of(request, chosen, in);
  if (const std::int64_t gone = fit_tokens(tokens, chosen); gone > 0) {
    move_scored(in, chosen, gone);
    set(in.notes, kTruncated, gone);
  }
  if (chosen.pieces) {
    std::string spelled;
    for (const std::int64_t id : tokens) {
      spelled += tokenizer_->spelling(id) + '\0';
    }
    set(in.notes, kPieces, std::move(spelled));
  }
  in.tokens = std::move(tokens);
  out.push(std::move(in));
}

}  // namespace penstock::gemma
