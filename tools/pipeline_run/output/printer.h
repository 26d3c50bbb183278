// Prints results in the order of the requests: the oldest unfinished one
// streams, the others are held until it is their turn.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "penstock/pipeline.h"
#include "pipeline_run/input/openai_request.h"
#include "pipeline_run/output/json_line.h"
#include "pipeline_run/output/output.h"
#include "pipeline_run/output/progress.h"
#include "pipeline_run/output/sound_output.h"

namespace penstock::run {

enum class Format {
  kText,      ///< what was generated, a newline after each request
  kTerminal,  ///< the prompt in bold before it
  kShow,      ///< a heading and prompt before it, and only when it is whole
  kJson,      ///< one line a request
  kSound,     ///< the bytes of what was said; texts go to stderr
  kNone,      ///< failures only
};

class Printer {
 public:
  Printer(Output& output, Format format, Progress& progress)
      : output_(output), format_(format), progress_(progress) {}

  /// Every result begins with a line that names its file, if it has one.
  void name_files() { names_files_ = true; }
  /// The last stage that runs, where it is not postprocess.
  void name_stage(std::string stage) { stage_ = std::move(stage); }
  /// Results say something about their prompt, they do not go on from it.
  void part_prompts() { parts_prompts_ = true; }
  /// Facts that every JSON line repeats: dtype, device.
  void set_facts(RunFacts facts) { facts_ = std::move(facts); }

  /// Of sound: what goes to the output is told to `length`, which outlives
  /// this.
  void measure(WavLength& length) { length_ = &length; }
  /// The first request that was cancelled, and those behind it, are not
  /// printed: a later run does them.
  void end_at_cancelled() { ends_at_cancelled_ = true; }

  /// The sink of the next request. `call`: its result is a line of OpenAI's.
  [[nodiscard]] std::shared_ptr<ResultSink> next(
      const Request& request, const std::optional<OpenAiCall>& call = {});
  /// The next request could not even be submitted.
  void refuse(const Request& request, const Error& error,
              const std::optional<OpenAiCall>& call = {});

  /// How many refuse() saw.
  [[nodiscard]] std::int64_t refused() const;
  /// The error of the first request, in their order, that failed.
  [[nodiscard]] std::optional<Error> first_error() const;

 private:
  class Sink;
  struct Entry {
    std::string held;                 ///< not yet printed
    std::string heading;              ///< goes before the first word
    std::map<int, Written> branches;  ///< all but what went into `held`
    std::string warnings;
    std::optional<Error> error;
    std::optional<OpenAiCall> call;
    bool is_done = false, has_output = false, is_cancelled = false;
  };

  /// A person looks at it; else it is data, byte for byte.
  [[nodiscard]] bool is_for_people() const {
    return format_ == Format::kTerminal || format_ == Format::kShow;
  }
  [[nodiscard]] bool is_text() const { return stage_ == "postprocess"; }
  [[nodiscard]] std::string prompt_before(const Request& request) const;
  Entry& add_entry(const Request& request);
  void piece(std::size_t index, const Value& value, int branch);
  void add_text(Entry& entry, const std::string& text, int branch);
  void add_sound(std::size_t index, const Media& sound);
  void done(std::size_t index, const Request& request, const Report& report);
  void flush();
  void write(const std::string& text);
  void hold_result(Entry& entry, const Request& request, const Report& report);
  void hold_texts(Entry& entry);
  void hold_error(Entry& entry, const Request& request, const Error& error);

  Output& output_;
  Format format_;
  Progress& progress_;
  bool names_files_ = false, ends_at_cancelled_ = false;
  bool parts_prompts_ = false;
  std::string stage_ = "postprocess";
  bool is_at_line_start_ = true;
  WavLength* length_ = nullptr;
  std::optional<std::size_t> sound_of_;  ///< the request whose sound it is
  bool has_told_ = false;                ///< text beside the sound
  RunFacts facts_;
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;  ///< of requests not yet printed whole
  std::int64_t refused_ = 0;
  std::size_t first_ = 0;  ///< the number of entries_.front()
  std::optional<Error> first_error_;
};

}  // namespace penstock::run
