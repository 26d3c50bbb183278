// The body of a request in OpenAI's API.
#include "pipeline_serve/api/openai/body.h"

#include "pipeline_serve/api/openai/conversation.h"
#include "pipeline_serve/api/openai/prompts.h"
#include "pipeline_serve/api/openai/streaming.h"
#include "pipeline_serve/api/openai/tool_shape.h"
#include "tests/fuzz/fuzz.h"

namespace penstock::serve {
namespace {

/// A refusal is the client's mistake, never ours.
template <class Read>
void try_to(const Read& read) {
  try {
    reading(read);
  } catch (const HttpError& error) {
    if (error.status != 400 || error.message.empty()) std::abort();
  }
}

void read_all(const Body& body) {
  try_to([&] {
    check_members(body, {.own = {"prompt", "messages", "input", "stream",
                                 "stream_options", "tools", "tool_choice"},
                         .options = {"temperature"}});
  });
  try_to([&] { (void)nested_tools(body.at("tools")); });
  try_to([&] { (void)streaming_of(body); });
  try_to([&] { (void)prompts_of(body.at("prompt"), 1000); });
  try_to([&] { (void)messages_of_chat(body.at("messages")); });
  try_to([&] { (void)messages_of_response(body.at("input"), "Be short."); });
}

}  // namespace
}  // namespace penstock::serve

void penstock::fuzz::take(std::string_view bytes) {
  serve::try_to([&] { serve::read_all(serve::Body(std::string(bytes))); });
}
