// Flow: a request on its way through the steps of a Runner. It makes requests
// of a step's outputs and hands results on, and keeps a part, a request of one
// step, only until its results were handed on: an `each` edge may give hours.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "penstock/runner.h"

namespace penstock {

/// The pipelines that flows go through, and who waits for their end.
struct FlowHome {
  const CompositionFile& file;
  const std::vector<std::unique_ptr<Pipeline>>& pipelines;  ///< by step
};

class Flow final : public std::enable_shared_from_this<Flow> {
 public:
  /// Called at the very end; `unheard`: what the sink threw, when nobody was
  /// left to be told.
  using Landed = std::function<void(const std::shared_ptr<Flow>& flow,
                                    const std::optional<Error>& unheard)>;

  Flow(const FlowHome& home, Request request, std::shared_ptr<ResultSink> sink,
       Landed landed);

  /// Submits the first requests; waits for room.
  void begin();
  [[nodiscard]] std::stop_source& stop_source() { return stop_; }

 private:
  class Sink;
  /// Given to what needs mutex_ to be held.
  using Lock = std::unique_lock<std::mutex>;
  /// A call of the sink whose turn has come.
  using Call = std::function<void(ResultSink& sink)>;

  struct Piece {
    Value value;
    int branch;
    bool is_final;
  };
  struct Part {
    std::shared_ptr<Request> request;
    std::deque<Piece> held;            ///< not yet handed on
    std::map<int, std::string> texts;  ///< by branch, for the steps below
    bool has_outputs = false;          ///< some were no text
    bool has_json = false;
    std::optional<Report> report;
  };
  /// What becomes requests of the steps below, in the order of the parts,
  /// whichever of them is ready first.
  struct Onward {
    std::deque<Value> outputs;
    bool is_over = false;  ///< no further ones
  };
  /// A step, from its first part that is not yet handed on whole.
  struct Track {
    std::deque<Part> parts;
    std::int64_t first = 0;  ///< the number of parts.front()
    std::deque<Onward> onward;
    std::int64_t first_onward = 0;      ///< the number of onward.front()
    bool is_handing_on = false;         ///< a thread makes requests of them
    std::int64_t tokens = 0;            ///< of the prompts of those before
    std::int64_t reused = 0;            ///< of these
    std::vector<std::string> warnings;  ///< a few, each once
    std::optional<Report> report;  ///< of the first that failed, or the last
    int open = 0;            ///< parts whose outputs may still become requests
    bool is_closed = false;  ///< no further parts
    bool is_told = false;    ///< and the sink knows
    std::shared_ptr<void> more_coming;
  };

  [[nodiscard]] const StepConfig& step(std::size_t at) const {
    return home_.file.steps[at];
  }
  [[nodiscard]] std::vector<std::size_t> consumers(std::size_t at) const;
  [[nodiscard]] const std::string& fed_input(std::size_t at) const;
  [[nodiscard]] std::string fed_dtype(std::size_t at) const;
  void check_words(std::size_t at, Part& part) const;
  [[nodiscard]] Request request_of(std::size_t at, const Value* given) const;
  void add_part(std::size_t at, const Value* given);
  void piece(std::size_t at, std::int64_t part, Piece piece);
  void part_done(std::size_t at, std::int64_t part, const Report& report);
  [[nodiscard]] Part& part_of(std::size_t at, std::int64_t part, const Lock&);
  void keep_output(std::size_t at, std::int64_t part, Value output,
                   const Lock&);
  void hand_on(std::size_t at);
  void end_part(std::size_t at, const Lock& lock);
  void close(std::size_t at, const Lock& lock);

  void deliver();
  void call(const Call& call);
  static void keep_warnings(const Report& report,
                            std::vector<std::string>& kept);
  [[nodiscard]] Call next_call(const Lock& lock);
  [[nodiscard]] Call next_of(Track& track, const std::string& name,
                             const Lock& lock);
  [[nodiscard]] Report whole() const;
  [[nodiscard]] Report sum() const;

  const FlowHome home_;
  std::stop_source stop_;
  const Request request_;
  const std::vector<std::map<std::string, Raw>> options_;
  const std::shared_ptr<ResultSink> sink_;
  const Landed landed_;
  const Time submitted_ = Clock::now();

  std::mutex mutex_;
  std::condition_variable turn_;
  bool is_calling_ = false;  ///< a thread calls the sink
  bool is_over_ = false;
  std::vector<Track> tracks_;  ///< by step

  // Of the thread that calls the sink:
  std::optional<Time> first_piece_;
  std::optional<Error> sink_error_;
  std::optional<Error> unheard_;
};

}  // namespace penstock
