// TextWriter: the text of each branch of a request, as it comes, until a stop
// string; beside it, log-probabilities where there are some.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gemma/stop_text.h"
#include "gemma/text_stream.h"
#include "penstock/postprocess.h"

namespace penstock::gemma {

class TextWriter final : public Writer {
 public:
  TextWriter(std::shared_ptr<const Tokenizer> tokenizer,
             std::vector<std::string> stops)
      : tokenizer_(std::move(tokenizer)), stops_(std::move(stops)) {}

  bool write(const Decoded& decoded, OutputSink& out) override;
  void end(OutputSink& out) override;

 private:
  struct Branch {
    TextStream stream;
    StopText text;
  };
  void write_logprobs(const Decoded& decoded, OutputSink& out);

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::vector<std::string> stops_;
  std::map<int, Branch> branches_;
  std::set<std::int64_t> begun_prompts_;  ///< by item
};

}  // namespace penstock::gemma
