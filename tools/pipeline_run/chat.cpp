#include "pipeline_run/chat.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "penstock/text.h"
#include "pipeline_run/input/line_reader.h"
#include "pipeline_run/output/terminal.h"

namespace penstock::run {
namespace {

using Messages = nlohmann::ordered_json;

constexpr const char* kHelp =
    "/reset  forget the conversation      /system TEXT  what it begins with\n"
    "/exit   end (also Ctrl-D)            Ctrl-C        stop the answer\n";

/// Streams one answer and waits for its end.
class Answer final : public ResultSink {
 public:
  Answer(Output& output, std::string step, bool is_terminal)
      : output_(output), step_(std::move(step)), is_terminal_(is_terminal) {}

  void piece(const Request& request, const Value& value, int branch,
             bool /*is_final*/) override {
    if (branch != 0 || request.step != step_) return;
    if (const auto* text = std::get_if<std::string>(&value)) {
      has_text_ = true;
      write(*text);
    } else if (const auto* json = std::get_if<Json>(&value)) {
      json_.push_back(json->text);
    }
  }
  void done(const Request& /*request*/, const Report& report) override {
    const std::scoped_lock lock(mutex_);
    report_ = report;
    over_.notify_all();
  }

  /// How it ended; waits for that.
  Report wait() {
    std::unique_lock lock(mutex_);
    over_.wait(lock, [&] { return report_.has_value(); });
    // Who says nothing in words says it in JSON.
    if (!has_text_ && !json_.empty()) write(join_json(json_));
    return *report_;
  }
  /// What was said; after wait().
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void write(const std::string& text) {
    text_ += text;
    output_.write(is_terminal_ ? harmless(text) : text);
  }

  Output& output_;
  std::string step_;  ///< whose words are the answer
  bool is_terminal_, has_text_ = false;
  std::string text_;
  std::vector<std::string> json_;
  std::mutex mutex_;
  std::condition_variable over_;
  std::optional<Report> report_;
};

class Conversation {
 public:
  Conversation(Runner& runner, Output& output, double timeout_s)
      : runner_(runner),
        output_(output),
        timeout_s_(timeout_s),
        is_terminal_(isatty(STDIN_FILENO) == 1 &&
                     isatty(results_descriptor()) == 1) {}

  void run(const Stop& stop) {
    LineReader lines("-", stop);
    if (is_terminal_) std::cerr << kHelp;
    while (!stop.is_requested() && !output_.is_closed() && !output_.error()) {
      if (is_terminal_) std::cerr << bold("> ") << std::flush;
      std::optional<std::string> line;
      try {
        line = lines.next();
      } catch (const Error& error) {
        tell(error);
        if (error.code() == Code::kRetry) return;
        continue;
      }
      if (!line) break;
      is_warned_ = false;
      if (!take(*line)) return;
    }
    if (is_terminal_) std::cerr << "\n";
  }

  /// Ctrl-C: whether that was all.
  bool interrupt() {
    const std::scoped_lock lock(mutex_);
    if (answer_) {
      answer_->request_stop();
      return true;
    }
    if (!is_terminal_ || is_warned_.exchange(true)) return false;
    std::cerr << "\n(Ctrl-D or /exit ends)\n" << bold("> ") << std::flush;
    return true;
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  /// False: the end.
  bool take(const std::string& line) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) return true;
    const std::string word = line.substr(0, line.find_first_of(" \t\r"));
    if (word == "/exit" || word == "/quit" || word == "/bye") return false;
    if (word == "/reset") {
      messages_ = Messages::array();
    } else if (word == "/system") {
      set_system(line.substr(word.size()));
    } else if (word[0] == '/') {
      std::cerr << kHelp;
    } else if (const auto bad = invalid_utf8(line)) {
      tell(Error(Code::kData, str("the line is not UTF-8: byte ", *bad,
                                  " begins no character")));
    } else {
      say(line);
    }
    return true;
  }

  void set_system(const std::string& text) {
    messages_ = Messages::array();
    const auto from = text.find_first_not_of(" \t\r");
    system_ = from == std::string::npos ? "" : text.substr(from);
  }

  void say(const std::string& line) {
    messages_.push_back({{"role", "user"}, {"content", line}});
    const auto answer = std::make_shared<Answer>(
        output_, runner_.file().steps.back().name, is_terminal_);
    const Report report = ask(answer);
    output_.write("\n");
    if (report.error) tell(*report.error);
    if (answer->text().empty()) {
      messages_.erase(messages_.size() - 1);  // as if it had not been said
      return;
    }
    messages_.push_back({{"role", "assistant"}, {"content", answer->text()}});
    if (is_terminal_ && report.finish_reason == "length") {
      std::cerr << "(cut at the limit; --set decode.max_new_tokens=...)\n";
    }
  }

  Report ask(const std::shared_ptr<Answer>& answer) {
    Messages all = messages_;
    if (!system_.empty()) {
      const Messages first{{"role", "system"}, {"content", system_}};
      all.insert(all.begin(), first);
    }
    Request request;
    request.id = std::to_string(++asked_);
    request.inputs["messages"] = Json{all.dump()};
    request.session = "chat";
    if (timeout_s_ > 0) {
      request.deadline =
          Clock::now() + std::chrono::duration_cast<Clock::duration>(
                             std::chrono::duration<double>(timeout_s_));
    }
    {
      const std::scoped_lock lock(mutex_);
      answer_ = runner_.submit(std::move(request), answer);
    }
    Report report = answer->wait();
    const std::scoped_lock lock(mutex_);
    answer_.reset();
    return report;
  }

  void tell(const Error& error) {
    if (!is_terminal_ && !error_) error_ = error;
    std::cerr << "pipeline-run: " << harmless(error.what()) << "\n";
  }

  Runner& runner_;
  Output& output_;
  const double timeout_s_;
  const bool is_terminal_;
  Messages messages_ = Messages::array();
  std::string system_;
  int asked_ = 0;
  std::optional<Error> error_;
  std::atomic<bool> is_warned_{false};
  std::mutex mutex_;
  std::optional<std::stop_source> answer_;  ///< of the one in progress
};

}  // namespace

void check_chat(const CompositionFile& file) {
  for (const StepConfig& step : file.steps) {
    if (!step.source().empty()) continue;  // it reads what others wrote
    const auto& stages = step.file.preprocess;
    const auto reads = [](const StageConfig& stage) {
      return stage.spec->params.find(Ability::kChats) != nullptr;
    };
    if (std::any_of(stages.begin(), stages.end(), reads)) return;
  }
  throw Error(Code::kUsage,
              "--chat: no preprocess stage of this pipeline reads "
              "conversations; try gemma_chat.yaml");
}

std::optional<Error> chat(Runner& runner, Output& output, Signals& signals,
                          const Stop& stop, double timeout_s) {
  Conversation conversation(runner, output, timeout_s);
  signals.on_interrupt([&] { return conversation.interrupt(); });
  conversation.run(stop);
  signals.on_interrupt(nullptr);
  return conversation.error();
}

}  // namespace penstock::run
