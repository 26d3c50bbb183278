#include "testing/fakes.h"

#include <algorithm>
#include <iterator>

#include "penstock/dtype.h"
#include "testing/fake_stages.h"

namespace penstock::testing {
namespace {

struct None {};

const StageSpec* last(const Named& named, StageKind kind) {
  const auto found = named.find(kind);
  return found == named.end() ? nullptr : found->second.back();
}

bool has_port(const std::vector<Port>& ports, const std::string& name) {
  return std::any_of(ports.begin(), ports.end(),
                     [&](const Port& port) { return port.name == name; });
}

/// The ports of what a test gives: dims in which its items differ have names.
std::vector<Port> ports_of(const std::vector<GivenItem>& items) {
  std::vector<Port> out;
  if (items.empty()) return out;
  for (const auto& [name, tensor] : items.front().inputs) {
    Port& port = out.emplace_back();
    port.name = name;
    port.dtype = dtype_word(tensor.scalar_type());
    for (std::int64_t d = 0; d < tensor.dim(); ++d) {
      bool is_same = true;
      for (const GivenItem& item : items) {
        const at::Tensor* other = penstock::find(item.inputs, name);
        is_same = is_same && other != nullptr && other->dim() == tensor.dim() &&
                  other->size(d) == tensor.size(d);
      }
      port.dims.push_back(is_same ? std::to_string(tensor.size(d))
                                  : name + "_" + std::to_string(d));
    }
  }
  return out;
}

/// The same of what a test's Forward gives: with any dims, of which a stage
/// that describes its ports says more when it runs.
std::vector<Port> ports_of_outputs(const std::vector<Tensors>& outputs) {
  std::vector<Port> out;
  if (outputs.empty()) return out;
  for (const auto& [name, tensor] : outputs.front()) {
    Port& port = out.emplace_back();
    port.name = name;
    port.dtype = dtype_word(tensor.scalar_type());
    port.dims = {"B", "..."};
  }
  return out;
}

/// Whether the items that a test gives have a tensor of that name, which a
/// Writer then reads from them.
bool is_of_items(const Given& given, const Port& port) {
  return std::any_of(given.items.begin(), given.items.end(),
                     [&](const GivenItem& item) {
                       return penstock::find(item.inputs, port.name) != nullptr;
                     });
}

void add_notes(std::vector<NoteSpec>& to, const Notes& notes) {
  for (const NoteSpec& spec : specs_of(notes)) {
    if (std::find(to.begin(), to.end(), spec) == to.end()) to.push_back(spec);
  }
}

}  // namespace

std::vector<NoteSpec> specs_of(const Notes& notes) {
  std::vector<NoteSpec> specs;
  for (const auto& [name, value] : notes) {
    specs.push_back({name, static_cast<ParamType>(value.index())});
  }
  return specs;
}

StageSpec& FakeCatalog::add(StageKind kind) {
  StageSpec& spec = fakes_.emplace_back();
  spec.kind = kind;
  spec.name = "fake." + to_string(kind);
  spec.doc = "stands in a test where no stage is tested";
  spec.params = ParamList<None>().take();
  return spec;
}

void FakeCatalog::add_preprocess(const Named& named) {
  StageSpec& spec = add(StageKind::kPreprocess);
  if (const StageSpec* forward = last(named, StageKind::kForward)) {
    spec.outputs = forward->describe ? ports_of(given_.items) : forward->inputs;
  }
  if (const StageSpec* postprocess = last(named, StageKind::kPostprocess)) {
    std::copy_if(postprocess->inputs.begin(), postprocess->inputs.end(),
                 std::back_inserter(spec.outputs),
                 [&](const Port& port) { return is_of_items(given_, port); });
  }
  for (const GivenItem& item : given_.items) {
    add_notes(spec.notes.makes, item.notes);
  }
  spec.make = [&given = given_](const void*) {
    return std::make_unique<FakePreprocess>(given);
  };
}

void FakeCatalog::add_batch(const Named& named) {
  StageSpec& spec = add(StageKind::kBatch);
  const StageSpec* forward = last(named, StageKind::kForward);
  const bool has_tokens = given_.outputs.empty();
  Layout layout = has_tokens ? Layout::kPacked : Layout::kStacked;
  if (forward != nullptr && !forward->layouts.empty()) {
    layout = forward->layouts.front();
  }
  spec.layouts = {layout};
  spec.make = [&given = given_, layout](const void*) {
    return std::make_unique<FakeBatch>(given, layout);
  };
}

void FakeCatalog::add_forward(const Named& named) {
  StageSpec& spec = add(StageKind::kForward);
  spec.layouts = {Layout::kStacked, Layout::kPadded, Layout::kPacked};
  if (const StageSpec* decode = last(named, StageKind::kDecode)) {
    spec.outputs =
        decode->describe ? ports_of_outputs(given_.outputs) : decode->inputs;
    spec.next_inputs = decode->next_inputs;
  }
  add_notes(spec.facts.makes, given_.facts);
  spec.make = [&given = given_](const void*) {
    return std::make_unique<FakeForward>(given);
  };
}

void FakeCatalog::add_decode(const Named& named) {
  StageSpec& spec = add(StageKind::kDecode);
  bool has_scores = given_.outputs.empty();
  if (const StageSpec* forward = last(named, StageKind::kForward)) {
    spec.inputs = forward->outputs;
    has_scores = has_port(forward->outputs, "scores");
  }
  if (const StageSpec* postprocess = last(named, StageKind::kPostprocess)) {
    std::copy_if(postprocess->inputs.begin(), postprocess->inputs.end(),
                 std::back_inserter(spec.outputs),
                 [&](const Port& port) { return !is_of_items(given_, port); });
  }
  for (const Decoded& decoded : given_.decoded) {
    add_notes(spec.notes.makes, decoded.notes);
  }
  spec.make = [&given = given_, has_scores](const void*) {
    return std::make_unique<FakeDecode>(given, has_scores);
  };
}

void FakeCatalog::add_postprocess(const Named& named) {
  StageSpec& spec = add(StageKind::kPostprocess);
  if (const StageSpec* decode = last(named, StageKind::kDecode)) {
    spec.inputs = decode->outputs;
  }
  spec.make = [](const void*) { return std::make_unique<FakePostprocess>(); };
}

void FakeCatalog::make_fakes(const Named& named) {
  add_preprocess(named);
  add_batch(named);
  add_forward(named);
  add_decode(named);
  add_postprocess(named);
}

const StageSpec& FakeCatalog::find(const std::string& use) {
  for (const StageSpec& fake : fakes_) {
    if (fake.name == use) return fake;
  }
  return real_.find(use);
}

}  // namespace penstock::testing
