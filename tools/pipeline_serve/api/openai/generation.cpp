#include "pipeline_serve/api/openai/generation.h"

#include <map>
#include <mutex>
#include <utility>

#include "penstock/text.h"
#include "pipeline_serve/api/openai/options.h"

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
    const std::scoped_lock lock(mutex_);
    if (!is_over_) tell(*listener_);
  }
  void prompt_done(const Usage& usage) {
    const std::scoped_lock lock(mutex_);
    usage_.prompt_tokens += usage.prompt_tokens;
    usage_.completion_tokens += usage.completion_tokens;
    if (is_over_ || --left_ > 0) return;
    is_over_ = true;
    listener_->done(usage_);
  }
  void fail(const HttpError& error) {
    if (!end()) return;
    listener_->failed(error);
  }
  /// Nobody is told any more and what runs is cancelled. False: it had ended.
  bool end() {
    std::vector<std::stop_source> sources;
    {
      const std::scoped_lock lock(mutex_);
      if (is_over_) return false;
      is_over_ = true;
      sources.swap(sources_);
    }
    for (auto& source : sources) source.request_stop();
    return true;
  }
  /// False: no more is wanted.
  bool add(std::stop_source source) {
    const std::scoped_lock lock(mutex_);
    if (is_over_) source.request_stop();
    sources_.push_back(std::move(source));
    return !is_over_;
  }

 private:
  std::shared_ptr<Listener> listener_;
  std::mutex mutex_;
  std::size_t left_;
  Usage usage_;
  std::vector<std::stop_source> sources_;
  bool is_over_ = false;
};

/// What all prompts of a request have in common.
struct Common {
  std::size_t n = 1;
  bool has_copies = false, has_answer = true, has_echo = false,
       has_logprobs = false;
  std::string prompt_param;
  std::int64_t context_length = 0;
};

/// The answers to one prompt.
class PromptSink final : public ResultSink {
 public:
  PromptSink(std::shared_ptr<Collector> collector, Common common,
             std::size_t first)
      : collector_(std::move(collector)),
        common_(std::move(common)),
        first_(first) {}

  void piece(const Request& request, const Value& value, int branch,
             bool /*is_final*/) override {
    if (const auto* json = std::get_if<Json>(&value)) {
      return take(OutJson::parse(json->text), branch);
    }
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return;
    echo(request);
    if (!common_.has_answer || text->empty()) return;
    more(branch, *text, tokens_[branch].show(text->size()));
  }
  void done(const Request& request, const Report& report) override {
    if (report.ending != Ending::kWhole) {
      return collector_->fail(
          error_of(report, common_.prompt_param, common_.context_length));
    }
    echo(request);
    Usage usage{.prompt_tokens = report.prompt_tokens};
    for (std::size_t i = 0; i < report.branches.size(); ++i) {
      over(static_cast<int>(i), report.branches[i]);
      usage.completion_tokens +=
          static_cast<std::int64_t>(report.branches[i].token_ids.size());
    }
    if (common_.has_copies) {
      usage.completion_tokens *= static_cast<std::int64_t>(common_.n);
    }
    if (!common_.has_answer) usage.completion_tokens = 0;
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
  }
  /// Once, before anything else: the prompt.
  void echo(const Request& request) {
    if (!common_.has_echo || has_echoed_) return;
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
        common_.has_logprobs ? std::exchange(prompt_, {}) : TokenList();
    for (std::size_t i = 0; i < common_.n; ++i) {
      collector_->tell(
          [&](Listener& listener) { listener.more(first_ + i, text, tokens); });
    }
  }
  /// Of a branch; of each of its copies.
  template <class Tell>
  void each_choice(int branch, const Tell& tell) {
    const auto begin = static_cast<std::size_t>(branch);
    const std::size_t end = common_.has_copies ? common_.n : begin + 1;
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
    const std::string reason =
        branch.finish_reason == "length" ? "length" : "stop";
    const TokenList rest = tokens_[index].finish(reason);
    if (!rest.empty() && common_.has_answer) more(index, "", rest);
    each_choice(index, [&](Listener& listener, std::size_t choice) {
      listener.over(choice, common_.has_answer ? reason : "length");
    });
  }

  std::shared_ptr<Collector> collector_;
  Common common_;
  std::size_t first_;  ///< number of the first answer
  bool has_echoed_ = false;
  TokenList prompt_;
  std::map<int, ShownTokens> tokens_;  ///< by branch
};

}  // namespace

void generate(const TextModel& model, Generation generation,
              std::shared_ptr<Listener> listener, const Call& call) {
  Served& served = model.served();
  auto& requests = generation.requests;
  const Common common{.n = generation.n,
                      .has_copies = generation.has_copies,
                      .has_answer = generation.has_answer,
                      .has_echo = generation.has_echo,
                      .has_logprobs = generation.has_logprobs,
                      .prompt_param = generation.prompt_param,
                      .context_length = model.context_length()};
  try {
    served.runner().check(requests.at(0));  // all have the same options
  } catch (const Error& error) {
    throw HttpError(option_error(error));
  }
  const auto ticket = served.admit(static_cast<std::int64_t>(requests.size()));
  const auto collector =
      std::make_shared<Collector>(std::move(listener), requests.size());
  const auto more_coming = served.runner().more_coming();
  try {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      auto sink = std::make_shared<PromptSink>(collector, common, i * common.n);
      if (requests.size() > 1) requests[i].id = str(call.request.id, "-", i);
      const auto source =
          served.submit(std::move(requests[i]), std::move(sink), ticket, call);
      if (!collector->add(source)) break;
    }
  } catch (...) {
    if (collector->end()) throw;
  }
}

}  // namespace penstock::serve
