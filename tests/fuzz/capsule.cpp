// A capsule's folder as --replay reads it: two bytes that say how long its
// capsule.json is, that, and its tensors.safetensors. bytes.0 is there.
#include "pipeline_run/capsule/read.h"

#include <algorithm>
#include <cstdlib>

#include "tests/fuzz/fuzz.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// What a stage may rely on, whatever the folder said.
void check(const penstock::KeptCall& call) {
  for (const auto& item : call.items) {
    require(item->request != nullptr && item->index >= 0 && item->width >= 1);
  }
  for (const auto& sequence : call.sequences) {
    require(sequence->item != nullptr && sequence->cached >= 0 &&
            sequence->cached <= sequence->length());
  }
  require(call.step.slices.size() <= call.sequences.size());
  std::int64_t out = 0;
  for (const auto& slice : call.step.slices) {
    const std::int64_t length = slice.sequence->length();
    require(slice.begin >= 0 && slice.count >= 0 && slice.outs >= 0);
    require(length == 0 || slice.count <= length - slice.begin);
    require(slice.out == out);
    out += slice.outs;
  }
  for (const auto& decoded : call.decoded) require(decoded.item != nullptr);
}

}  // namespace

void penstock::fuzz::take(std::string_view bytes) {
  if (bytes.size() < 2) return;
  const std::size_t length = static_cast<unsigned char>(bytes[0]) |
                             static_cast<unsigned char>(bytes[1]) << 8U;
  bytes.remove_prefix(2);
  const auto json = bytes.substr(0, std::min(length, bytes.size()));
  (void)file_of(bytes.substr(json.size()), "tensors.safetensors");
  (void)file_of("RIFF", "bytes.0");
  check(run::read_capsule(file_of(json, "capsule.json").parent_path()).call);
}
