#include "pipeline_serve/api/uploads/gathered.h"

#include <variant>

#include "pipeline_serve/api/sse.h"

namespace penstock::serve {

void add_piece(const Value& value, run::Written& to) {
  if (const auto* json = std::get_if<Json>(&value)) {
    to.json.push_back(json->text);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    to.has_text = true;
    to.text += *text;
  }
}

void answer_safely(const Call& call, const std::function<void()>& make) {
  try {
    make();
  } catch (...) {
    send_error(*call.reply, caught_error(), call.request.path);
  }
}

void Gathered::piece(const Request& /*request*/, const Value& value, int branch,
                     bool /*is_final*/) {
  add_piece(value, branches_[branch]);
}

void Gathered::done(const Request& request, const Report& report) {
  answer_safely(call_, [&] { done_(request, report, branches_); });
}

}  // namespace penstock::serve
