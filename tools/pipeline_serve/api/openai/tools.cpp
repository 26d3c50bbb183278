#include "pipeline_serve/api/openai/tools.h"

namespace penstock::serve {

void check_no_tools(const Body& body) {
  reading([&] {
    const auto choice = body.find("tool_choice");
    const bool is_none =
        choice && choice->is_text() && choice->text() == "none";
    const auto tools = body.find("tools");
    if (tools && !tools->items().empty() && !is_none) {
      tools->fail("cannot be called by this model; leave them out");
    }
    const bool is_auto =
        choice && choice->is_text() && choice->text() == "auto";
    if (choice && !is_none && !is_auto) {
      choice->fail("is neither auto nor none: no tool can be forced here");
    }
  });
}

}  // namespace penstock::serve
