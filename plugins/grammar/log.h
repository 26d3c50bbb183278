// What xgrammar would print.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace penstock::grammar {

/// Called by the library.
void warn(int level, const std::string& text);

/// While it lives, keeps what xgrammar warns of on this thread: each time it
/// says that it leaves something of a schema out. Its faults are thrown as
/// Error(kData).
class Warnings {
 public:
  Warnings();
  Warnings(const Warnings&) = delete;
  Warnings& operator=(const Warnings&) = delete;
  ~Warnings();

  [[nodiscard]] const std::vector<std::string>& all() const { return all_; }
  void add(std::string text) { all_.push_back(std::move(text)); }

 private:
  std::vector<std::string> all_;
};

}  // namespace penstock::grammar
