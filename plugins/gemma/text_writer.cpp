#include "gemma/text_writer.h"

#include <utility>

#include "gemma/call_json.h"
#include "gemma/token_json.h"

namespace penstock::gemma {

TextWriter::Branch& TextWriter::branch_of(int branch) {
  const auto [at, is_new] = branches_.try_emplace(
      branch,
      Branch{.stream = TextStream(tokenizer_), .text = StopText(stops_)});
  if (is_new && syntax_) at->second.calls.emplace(*syntax_, come_);
  return at->second;
}

void TextWriter::emit(const tools::CallReader::Found& found,
                      const Decoded& decoded, Branch& branch, OutputSink& out) {
  const Tokens& prompt = decoded.item->tokens;
  if (!found.calls.empty()) {
    out.emit(
        Json{call_json(found.calls, prompt, decoded.branch, branch.called)},
        decoded.branch, /*is_final=*/false);
    branch.called += found.calls.size();
  }
  for (const tools::CallPart& part : found.parts) {
    out.emit(Json{call_part_json(part, prompt, decoded.branch, branch.called)},
             decoded.branch, /*is_final=*/false);
    if (part.is_begin) ++branch.called;
  }
}

std::string TextWriter::without_calls(const std::string& text, bool is_over,
                                      const Decoded& decoded, Branch& branch,
                                      OutputSink& out) {
  auto found = branch.calls->add(text);
  emit(found, decoded, branch, out);
  if (!is_over) return std::move(found.text);
  const auto last = branch.calls->finish();
  emit(last, decoded, branch, out);
  return found.text + last.text;
}

bool TextWriter::write(const Decoded& decoded, OutputSink& out) {
  lines_.begin(decoded, out);
  write_logprobs(decoded, out);
  Branch& branch = branch_of(decoded.branch);
  auto& [stream, shown, calls, called] = branch;
  Tokens tokens = decoded.tokens;
  // The id that stopped the answer is no part of its text.
  if (decoded.finish == Finish::kStopId && !tokens.empty()) tokens.pop_back();
  std::string text;
  for (const std::int64_t id : tokens) text += shown.add(stream.add(id));
  const bool is_over = decoded.finish != Finish::kNo;
  if (is_over) text += shown.add(stream.finish());
  const bool is_found = shown.is_found();
  const bool is_final = is_over || is_found;
  if (is_final) text += shown.finish();
  if (calls) text = without_calls(text, is_final, decoded, branch, out);
  if (is_final) branches_.erase(decoded.branch);
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
    text += each.text.finish();
    if (each.calls) {
      text = each.calls->add(text).text + each.calls->finish().text;
    }
    out.emit(text, branch, /*is_final=*/true);
  }
}

}  // namespace penstock::gemma
