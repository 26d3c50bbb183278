// Where the answer to one request goes. Any thread; no call waits: what a slow
// client has not read yet is kept, up to a limit, beyond which it is gone.
#pragma once

#include <functional>
#include <string>

#include "pipeline_serve/http/message.h"

namespace penstock::serve {

class Reply {
 public:
  virtual ~Reply() = default;
  /// The whole answer; nothing may follow.
  virtual void send(Answer answer) = 0;
  /// Begins a stream; `head.body` is its first piece.
  virtual void begin(Answer head) = 0;
  /// A piece of the stream.
  virtual void write(std::string bytes) = 0;
  /// The stream is whole.
  virtual void end() = 0;
  /// Something went out already: an error can no longer be a status.
  [[nodiscard]] virtual bool has_begun() const = 0;
  /// Called once, on the I/O thread, when the client has gone before the end;
  /// soon where it has gone already. It must not wait. Every call is kept.
  virtual void on_gone(std::function<void()> call) = 0;
};

}  // namespace penstock::serve
