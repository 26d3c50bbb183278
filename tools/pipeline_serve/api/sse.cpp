#include "pipeline_serve/api/sse.h"

#include <utility>

#include "pipeline_serve/http/router.h"

namespace penstock::serve {

std::string json_text(const OutJson& json) {
  return json.dump(-1, ' ', false, OutJson::error_handler_t::replace);
}

std::string sse_event(const OutJson& json, const std::string& name) {
  std::string out;
  if (!name.empty()) out += "event: " + name + "\n";
  return out + "data: " + json_text(json) + "\n\n";
}

void send_error(Reply& reply, const HttpError& error, const std::string& path,
                const std::string& last) {
  Answer answer = answer_of(error, path);
  if (!reply.has_begun()) return reply.send(std::move(answer));
  reply.write("data: " + answer.body + "\n\n" + last);
  reply.end();
}

void EventStream::write(std::string bytes) {
  if (has_begun_) return reply_->write(std::move(bytes));
  has_begun_ = true;
  Answer head;
  head.type = "text/event-stream";
  head.body = std::move(bytes);
  head.fields.add("Cache-Control", "no-cache");
  head.fields.add("X-Accel-Buffering", "no");
  reply_->begin(std::move(head));
}

void EventStream::send(const OutJson& json, const std::string& name) {
  write(sse_event(json, name));
}

void EventStream::end(const std::string& last) {
  if (!last.empty()) write(last);
  reply_->end();
}

}  // namespace penstock::serve
