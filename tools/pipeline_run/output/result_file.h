// --output: the file that a long job writes, a line a request, in their order.
// So its whole lines are what is done, and --resume goes on behind them: after
// a kill no result is lost and none comes twice.
#pragma once

#include <cstddef>
#include <string>

#include "pipeline_run/input/inputs.h"

namespace penstock::run {

class ResultFile {
 public:
  /// Without `resume` there must be no such file. A last line that was cut
  /// short is taken away. Throws Error: kUsage (it is there), kRetry (it cannot
  /// be written, or another process writes it), kData (not ours).
  ResultFile(const std::string& path, bool resume);
  ~ResultFile();
  ResultFile(const ResultFile&) = delete;
  ResultFile& operator=(const ResultFile&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] std::size_t done() const { return done_; }
  /// Reads over the inputs that are done. Throws Error(kData) when these are
  /// not the ones that the results are of.
  void skip_done(Inputs& inputs) const;
  /// Brings it to the disk. Throws Error(kRetry).
  void sync() const;

 private:
  void read_done();

  std::string path_;
  int descriptor_;
  std::size_t done_ = 0;
  std::string last_id_;
};

}  // namespace penstock::run
