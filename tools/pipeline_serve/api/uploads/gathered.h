// What one request gives, kept until it is over, for an answer that is written
// at once.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "pipeline_run/output/json_line.h"
#include "pipeline_serve/http/router.h"

namespace penstock::serve {

/// Adds a piece to what its branch has written.
void add_piece(const Value& value, run::Written& to);

/// Calls `make`; what it throws becomes the answer, where none has begun, else
/// the last event of the stream.
void answer_safely(const Call& call, const std::function<void()>& make);

class Gathered final : public ResultSink {
 public:
  using Branches = std::map<int, run::Written>;
  /// On a writer thread; it must not wait, and may throw (answer_safely).
  using Done = std::function<void(const Request& request, const Report& report,
                                  const Branches& branches)>;
  Gathered(Call call, Done done)
      : call_(std::move(call)), done_(std::move(done)) {}

  void piece(const Request& request, const Value& value, int branch,
             bool is_final) override;
  void done(const Request& request, const Report& report) override;

 private:
  Call call_;
  Done done_;
  Branches branches_;
};

}  // namespace penstock::serve
