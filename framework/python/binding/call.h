// Call: one request on its way, as Python holds it: what it wrote so far, and
// how it ended. Filled by writer threads, read by any; knows nothing of Python.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "binding/board.h"
#include "penstock/pipeline.h"

namespace penstock::python {

/// What one branch of a part wrote.
struct Written {
  std::string text;
  bool has_text = false;
  std::vector<std::string> json;
  std::vector<Tensors> tensors;
};

/// One request of a step; a pipeline alone has one of them.
struct Part {
  std::string step;
  Report report;
  std::map<int, Written> branches;
};

/// A piece of the last step, as it came.
struct Piece {
  int branch = 0;
  Value value;
};

class Call final : public ResultSink {
 public:
  /// `last`: the step whose pieces are kept to be read one by one, if
  /// `is_streamed`. `watch`, if any, is told `number` of each change.
  Call(std::string id, std::string last, bool is_streamed,
       std::shared_ptr<Board> board, std::shared_ptr<Watch> watch);
  ~Call() override;

  // Writer threads.
  void piece(const Request& request, const Value& value, int branch,
             bool is_final) override;
  void part_done(const Request& request, const Report& report) override;
  void done(const Request& request, const Report& report) override;

  // Whoever reads.
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::int64_t number() const { return number_; }
  void set_stop(const std::stop_source& stop);
  void cancel();
  [[nodiscard]] bool is_over();
  /// Waits a twentieth of a second at most; true: it is over.
  [[nodiscard]] bool wait_for_end();
  /// The same, for a piece or the end.
  [[nodiscard]] bool wait_for_piece();
  /// The next piece that was not taken yet.
  [[nodiscard]] std::optional<Piece> take_piece();
  /// After the end only.
  [[nodiscard]] const Report& report() const { return report_; }
  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }
  /// It ended because its engine was closed.
  [[nodiscard]] bool was_closed() const;

 private:
  Part& current(const Request& request);

  const std::string id_, last_;
  const bool is_streamed_;
  const std::int64_t number_;
  const std::shared_ptr<Board> board_;
  const std::shared_ptr<Watch> watch_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::stop_source stop_{std::nostopstate};
  bool is_cancelled_ = false, is_over_ = false;
  std::deque<Piece> pieces_;
  std::map<std::string, Part> open_;  ///< by step: the one that writes
  std::vector<Part> parts_;
  Report report_;
};

}  // namespace penstock::python
