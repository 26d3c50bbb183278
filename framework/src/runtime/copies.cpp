#include "runtime/copies.h"

#include "base/quote.h"

namespace penstock {
namespace {

/// "tokens: i64[T], scores: f32[R,V]"; `otherwise` where there are none.
std::string ports(const std::vector<Port>& all, const std::string& otherwise) {
  std::vector<std::string> texts;
  texts.reserve(all.size());
  for (const Port& port : all) texts.push_back(to_string(port));
  return texts.empty() ? otherwise : joined(texts);
}

}  // namespace

std::string named(const StageConfig& stage) {
  return str(to_string(stage.spec->kind), " (", stage.spec->name, ")");
}

std::vector<std::string> copies_of(const PipelineFile& file,
                                   const at::Device& device) {
  if (device.is_cpu()) return {};
  const StageSpec& forward = *file.forward.spec;
  const std::string there = named(file.forward) + " on " + device.str();
  return {str(named(file.batch), " on cpu to ", there, ": ",
              ports(forward.inputs, "inputs")),
          str(there, " to ", named(file.decode),
              " on cpu: ", ports(forward.outputs, "scores"))};
}

}  // namespace penstock
