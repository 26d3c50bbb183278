#include "pipeline_serve/api/openai/generation.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "penstock/text.h"
#include "pipeline_serve/api/openai/options.h"
#include "pipeline_serve/serving/together.h"

namespace penstock::serve {
namespace {

/// The answers of all prompts together.
class Collector {
 public:
  Collector(std::shared_ptr<Listener> listener, std::size_t prompts)
      : listener_(std::move(listener)), left_(prompts) {}

  /// `tell` is called alone, and not after the end.
  template <class Tell>
  void tell(const Tell& tell) {
    together_.unless_over([&] { tell(*listener_); });
  }
  void prompt_done(const Usage& usage) {
    bool is_last = false;
    together_.unless_over([&] {
      usage_.prompt_tokens += usage.prompt_tokens;
      usage_.cached_tokens += usage.cached_tokens;
      usage_.completion_tokens += usage.completion_tokens;
      is_last = --left_ == 0;
    });
    if (is_last && together_.end()) listener_->done(usage_);
  }
  void fail(const HttpError& error) {
    if (together_.end()) listener_->failed(error);
  }
  [[nodiscard]] Together& together() { return together_; }

 private:
  std::shared_ptr<Listener> listener_;
  Together together_;
  std::size_t left_;
  Usage usage_;
};

/// The answers to one prompt.
class PromptSink final : public ResultSink {
 public:
  PromptSink(std::shared_ptr<Collector> collector, Answers wanted,
             std::int64_t context_length, std::size_t first)
      : collector_(std::move(collector)),
        wanted_(std::move(wanted)),
        context_length_(context_length),
        first_(first) {}

  void piece(const Request& request, const Value& value, int branch,
             bool /*is_final*/) override {
    if (const auto* json = std::get_if<Json>(&value)) {
      return take(OutJson::parse(json->text), branch);
    }
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return;
    echo(request);
    if (!wanted_.has_answer || text->empty()) return;
    more(branch, *text, tokens_[branch].show(text->size()));
  }
  void done(const Request& request, const Report& report) override {
    if (report.ending != Ending::kWhole) {
      return collector_->fail(
          error_of(report, wanted_.blamed, context_length_));
    }
    echo(request);
    Usage usage{
        .prompt_tokens = report.prompt_tokens,
        .cached_tokens = std::min(report.reused_tokens, report.prompt_tokens)};
    for (std::size_t i = 0; i < report.branches.size(); ++i) {
      over(static_cast<int>(i), report.branches[i]);
      usage.completion_tokens +=
          static_cast<std::int64_t>(report.branches[i].token_ids.size());
    }
    if (wanted_.has_copies) {
      usage.completion_tokens *= static_cast<std::int64_t>(wanted_.n);
    }
    if (!wanted_.has_answer) usage.completion_tokens = 0;
    collector_->prompt_done(usage);
  }

 private:
  void take(const OutJson& piece, int branch) {
    for (const char* key : {"prompt_logprobs", "logprobs"}) {
      const auto found = piece.find(key);
      if (found == piece.end()) continue;
      for (const OutJson& token : (*found)["content"]) {
        if (key == std::string_view("logprobs")) {
          tokens_[branch].add(token);
        } else {
          prompt_.push_back(token);
        }
      }
    }
    const auto more = piece.find("tool_call_more");
    if (more != piece.end()) {
      for (const OutJson& part : *more) {
        each_choice(branch, [&](Listener& listener, std::size_t choice) {
          listener.called_more(choice, part);
        });
      }
    }
    const auto calls = piece.find("tool_calls");
    if (calls == piece.end()) return;
    has_called_.insert(branch);
    for (const OutJson& call : *calls) {
      each_choice(branch, [&](Listener& listener, std::size_t choice) {
        listener.called(choice, call);
      });
    }
  }
  /// Once, before anything else: the prompt.
  void echo(const Request& request) {
    if (!wanted_.has_echo || has_echoed_) return;
    has_echoed_ = true;
    const auto given = request.inputs.find("text");
    std::string text;
    if (given != request.inputs.end()) {
      text = std::get<std::string>(given->second);
    } else {
      for (const OutJson& token : prompt_) text += bytes_of(token);
      text = replace_invalid_utf8(text);
    }
    const TokenList tokens =
        wanted_.has_logprobs ? std::exchange(prompt_, {}) : TokenList();
    for (std::size_t i = 0; i < wanted_.n; ++i) {
      collector_->tell(
          [&](Listener& listener) { listener.more(first_ + i, text, tokens); });
    }
  }
  /// Of a branch; of each of its copies.
  template <class Tell>
  void each_choice(int branch, const Tell& tell) {
    const auto begin = static_cast<std::size_t>(branch);
    const std::size_t end = wanted_.has_copies ? wanted_.n : begin + 1;
    for (std::size_t i = begin; i < end; ++i) {
      collector_->tell([&](Listener& listener) { tell(listener, first_ + i); });
    }
  }
  void more(int branch, const std::string& text, const TokenList& tokens) {
    each_choice(branch, [&](Listener& listener, std::size_t choice) {
      listener.more(choice, text, tokens);
    });
  }
  void over(int index, const Branch& branch) {
    const std::string reason = branch.finish_reason == "length" ? "length"
                               : has_called_.contains(index)    ? "tool_calls"
                                                                : "stop";
    const TokenList rest = tokens_[index].finish(reason);
    if (!rest.empty() && wanted_.has_answer) more(index, "", rest);
    each_choice(index, [&](Listener& listener, std::size_t choice) {
      listener.over(choice, wanted_.has_answer ? reason : "length");
    });
  }

  std::shared_ptr<Collector> collector_;
  Answers wanted_;
  std::int64_t context_length_;
  std::size_t first_;  ///< number of the first answer
  bool has_echoed_ = false;
  TokenList prompt_;
  std::map<int, ShownTokens> tokens_;  ///< by branch
  std::set<int> has_called_;           ///< branches
};

}  // namespace

void generate(const TextModel& model, Generation generation,
              std::shared_ptr<Listener> listener, const Call& call) {
  Served& served = model.served();
  auto& requests = generation.requests;
  const Answers& wanted = generation;
  try {
    served.runner().check(requests.at(0));  // all have the same options
  } catch (const Error& error) {
    throw HttpError(option_error(error));
  }
  const auto ticket =
      served.admit(call, static_cast<std::int64_t>(requests.size()));
  const auto collector =
      std::make_shared<Collector>(std::move(listener), requests.size());
  const auto more_coming = served.runner().more_coming();
  try {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      auto sink = std::make_shared<PromptSink>(
          collector, wanted, model.context_length(), i * wanted.n);
      if (requests.size() > 1) requests[i].id = str(call.request.id, "-", i);
      const auto source =
          served.submit(std::move(requests[i]), std::move(sink), ticket, call);
      if (!collector->together().add(source)) break;
    }
  } catch (...) {
    if (collector->together().end()) throw;
  }
}

}  // namespace penstock::serve
