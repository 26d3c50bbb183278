#include "pipeline_serve/api/openai/tools.h"

namespace penstock::serve {

bool is_without_tools(const Body& body) {
  const auto choice = body.find("tool_choice");
  return choice && choice->is_text() && choice->text() == "none";
}

void check_choice_of_nothing(const Body& body) {
  const auto choice = body.find("tool_choice");
  const bool is_auto = choice && choice->is_text() && choice->text() == "auto";
  if (choice && !is_without_tools(body) && !is_auto) {
    choice->fail("asks for a call, but there are no tools");
  }
}

void check_no_tools(const Body& body) {
  reading([&] {
    const auto tools = body.find("tools");
    if (tools && !tools->items().empty() && !is_without_tools(body)) {
      tools->fail("cannot be called here; leave them out");
    }
    check_choice_of_nothing(body);
  });
}

}  // namespace penstock::serve
