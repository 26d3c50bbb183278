// TextWriter: the text of each branch of a request, as it comes, until a stop
// string; beside it, log-probabilities where there are some, and calls of
// tools. Of several items each later one begins a line.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gemma/stop_text.h"
#include "gemma/text_stream.h"
#include "lib/tools/call_reader.h"
#include "penstock/postprocess.h"

namespace penstock::gemma {

class TextWriter final : public Writer {
 public:
  TextWriter(std::shared_ptr<const Tokenizer> tokenizer,
             std::vector<std::string> stops,
             std::shared_ptr<const tools::CallSyntax> calls = nullptr,
             tools::CallsCome come = tools::CallsCome::kWhole)
      : tokenizer_(std::move(tokenizer)),
        stops_(std::move(stops)),
        syntax_(std::move(calls)),
        come_(come) {}

  bool write(const Decoded& decoded, OutputSink& out) override;
  void end(OutputSink& out) override;

 private:
  struct Branch {
    TextStream stream;
    StopText text;
    std::optional<tools::CallReader> calls = {};
    std::size_t called = 0;
  };
  [[nodiscard]] Branch& branch_of(int branch);
  static void emit(const tools::CallReader::Found& found,
                   const Decoded& decoded, Branch& branch, OutputSink& out);
  /// Takes the calls out of what is shown, and emits them.
  static std::string without_calls(const std::string& text, bool is_over,
                                   const Decoded& decoded, Branch& branch,
                                   OutputSink& out);
  void write_logprobs(const Decoded& decoded, OutputSink& out);

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::vector<std::string> stops_;
  std::shared_ptr<const tools::CallSyntax> syntax_;  ///< null: none are read
  tools::CallsCome come_;
  std::map<int, Branch> branches_;
  ItemLines lines_;
  std::set<std::int64_t> begun_prompts_;  ///< by item
};

}  // namespace penstock::gemma
