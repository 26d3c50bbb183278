#include "torch/graph_check.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "penstock/error.h"

namespace penstock::pt2 {
namespace {

/// Of aten, those that read or write files: every schema of libtorch 2.11 that
/// takes a text was looked at.
constexpr std::array<std::string_view, 2> kOfFiles{"aten.from_file.",
                                                   "aten.save."};
/// Pure: tensors, and numbers of shapes.
constexpr std::array<std::string_view, 7> kKnown{
    "aten.", "_operator.",       "math.", "torch.sym_", "torch._sym_",
    "sym_",  "higher_order.cond"};

template <class Leads>
bool has_lead(const std::string& name, const Leads& leads) {
  return std::any_of(leads.begin(), leads.end(), [&](std::string_view lead) {
    return name.starts_with(lead);
  });
}

}  // namespace

void check_operators(const ModelHead& head, bool is_trusted) {
  for (const auto& [name, node] : head.operators) {
    const std::string what =
        node.empty() ? name : str(name, " (node '", node, "')");
    if (!has_lead(name, kKnown)) {
      const bool is_wrap = name.starts_with("higher_order.");
      throw Error(Code::kData,
                  str(head.path.string(), ": libtorch has no operator ", what,
                      is_wrap ? "; save program.run_decompositions({}) instead "
                                "of the program, which takes it out where it "
                                "can"
                              : "; export a model that is made of aten's "
                                "operators alone"));
    }
    if (is_trusted || !has_lead(name, kOfFiles)) continue;
    throw Error(Code::kData,
                str(head.path.string(), ": its operator ", what,
                    " reaches files, which no model needs; where the file is "
                    "your own, set trust: true"));
  }
}

}  // namespace penstock::pt2
