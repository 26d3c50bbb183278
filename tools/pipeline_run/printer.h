// Prints results in the order of the requests: the oldest unfinished one
// streams, the others are held until it is their turn.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "output.h"
#include "penstock/pipeline.h"

namespace penstock::run {

enum class Format {
  kText,      ///< what was generated, a newline after each request
  kTerminal,  ///< the prompt in bold before it
  kShow,      ///< a heading and prompt before it, and only when it is whole
  kJson,      ///< one line a request
};

class Printer {
 public:
  /// `quit` is called once when nobody reads the output any more.
  Printer(Output& output, Format format, std::function<void()> quit)
      : output_(output), format_(format), quit_(std::move(quit)) {}

  /// Facts that every JSON line repeats: dtype, device.
  void set_facts(std::string dtype, std::string device);

  /// The sink of the next request.
  [[nodiscard]] std::shared_ptr<ResultSink> next(const Request& request);
  /// The next request could not even be submitted.
  void refuse(const Request& request, const Error& error);

  /// The error of the first request that failed.
  [[nodiscard]] std::optional<Error> first_error() const;
  /// Output could not be written: its error.
  [[nodiscard]] std::optional<Error> output_error() const;

 private:
  class Sink;
  struct Entry {
    std::string held;  ///< not yet printed
    std::string text;  ///< everything of branch 0, for JSON
    bool is_done = false;
  };

  Entry& add_entry(const Request& request);
  void piece(std::size_t index, const std::string& text);
  void done(std::size_t index, const Request& request, const Report& report);
  void flush();
  void print(const std::string& text);
  [[nodiscard]] std::string json_line(const Request& request,
                                      const Report& report,
                                      const std::string& text) const;

  Output& output_;
  Format format_;
  std::function<void()> quit_;
  std::string dtype_, device_;
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;  ///< of requests not yet printed whole
  std::size_t first_ = 0;      ///< the number of entries_.front()
  std::optional<Error> first_error_, output_error_;
};

}  // namespace penstock::run
