#include "gemma/text_writer.h"

#include <utility>

#include "gemma/token_json.h"

namespace penstock::gemma {

bool TextWriter::write(const Decoded& decoded, OutputSink& out) {
  write_logprobs(decoded, out);
  const auto found =
      branches_
          .try_emplace(decoded.branch, Branch{.stream = TextStream(tokenizer_),
                                              .text = StopText(stops_)})
          .first;
  auto& [stream, shown] = found->second;
  Tokens tokens = decoded.tokens;
  // The id that stopped the answer is no part of its text.
  if (decoded.finish == Finish::kStopId && !tokens.empty()) tokens.pop_back();
  std::string text;
  for (const std::int64_t id : tokens) text += shown.add(stream.add(id));
  const bool is_over = decoded.finish != Finish::kNo;
  if (is_over) text += shown.add(stream.finish());
  const bool is_found = shown.is_found();
  const bool is_final = is_over || is_found;
  if (is_final) {
    text += shown.finish();
    branches_.erase(found);
  }
  if (is_final || !text.empty()) {
    out.emit(std::move(text), decoded.branch, is_final);
  }
  return !is_found;
}

void TextWriter::write_logprobs(const Decoded& decoded, OutputSink& out) {
  for (const std::string key : {"prompt_logprobs", "logprobs"}) {
    const at::Tensor* ids = find(decoded.tensors, key + ".ids");
    if (ids == nullptr) continue;
    std::int64_t first = -1;
    // Nothing comes before a prompt's first token.
    if (key == "prompt_logprobs" &&
        begun_prompts_.insert(decoded.item->index).second) {
      first = decoded.item->tokens.front();
    }
    out.emit(Json{token_json(*tokenizer_, key, *ids,
                             get(decoded.tensors, key + ".values"), first)},
             decoded.branch, /*is_final=*/false);
  }
}

void TextWriter::end(OutputSink& out) {
  // Branches that were cut short: a cancelled or failed request.
  for (auto& [branch, each] : branches_) {
    std::string text = each.text.add(each.stream.finish());
    out.emit(text + each.text.finish(), branch, /*is_final=*/true);
  }
}

}  // namespace penstock::gemma
