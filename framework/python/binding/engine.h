// Engine: an open pipeline file, with an end that may come at any time and from
// any thread. Knows nothing of Python; whoever calls it does not hold the GIL,
// but for enter() and what only looks.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "binding/board.h"
#include "binding/call.h"
#include "penstock/plugin_host.h"
#include "penstock/runner.h"

namespace penstock::python {

/// Which file, and how it is read.
struct FileSource {
  std::string path;
  std::vector<Override> overrides;         ///< over those of the environment
  std::vector<std::string> plugin_path;    ///< searched first
  std::vector<std::string> pipeline_path;  ///< where steps are found by name
};

/// Throws Error(kUsage) in a process that was forked after an engine, or a
/// plugin, was opened: their threads did not come along.
void refuse_after_fork();

/// The plugins of this process; opened once, never closed.
[[nodiscard]] PluginHost& plugin_host(const std::vector<std::string>& path);
[[nodiscard]] CompositionFile load(const FileSource& source);

class Engine {
 public:
  /// Loads weights.
  Engine(const FileSource& source, int max_in_flight, bool until_decode);
  /// As close().
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  [[nodiscard]] const std::shared_ptr<Board>& board() const { return board_; }
  [[nodiscard]] const CompositionFile& file() const { return file_; }
  [[nodiscard]] const Notes& facts() const { return facts_; }
  [[nodiscard]] const std::string& device() const { return device_; }

  /// The caller has entered the board; where this throws, it left again.
  [[nodiscard]] std::shared_ptr<Call> submit(Request request, bool is_streamed,
                                             std::shared_ptr<Watch> watch);
  /// Batches expect more requests until drop_more() of the number, or close().
  [[nodiscard]] int hold_more();
  void drop_more(int number);
  [[nodiscard]] std::vector<std::pair<std::string, Stats>> stats();
  /// Cancels what is in flight and waits for it. May be called again.
  void close();

 private:
  /// The runner while one of its calls runs; throws Error(kUsage) when closed.
  class Use;

  std::shared_ptr<Board> board_;
  CompositionFile file_;
  Notes facts_;
  std::string device_;
  int process_ = 0;

  std::mutex mutex_;
  std::condition_variable unused_;
  int users_ = 0;
  bool is_closing_ = false, is_closed_ = false;
  int last_more_ = 0;
  std::map<int, std::shared_ptr<void>> more_;
  std::unique_ptr<Runner> runner_;
};

}  // namespace penstock::python
