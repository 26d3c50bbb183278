// core.stack: batches of whole tensors, for models that answer in one step:
// pictures, windows of sound, embeddings.
#pragma once

#include <utility>

#include "penstock/batch.h"
#include "penstock/kept_memory.h"

namespace penstock::core {

/// Stacks every input of the sequences' items to [B, ...]. With fit: pad also
/// <name>_mask u8[B, ...] without the first dim (1: the item's own), where
/// the shapes differ.
class Stack final : public Batch {
 public:
  struct Params {
    std::int64_t max_sequences = 8;
    double max_wait_ms = 20;
    std::string fit = "same";
    double pad_value = 0;
  };
  static void declare(Declaration<Stack>& d);
  explicit Stack(Params params) : params_(std::move(params)) {}

  [[nodiscard]] int max_sequences() const override {
    return static_cast<int>(params_.max_sequences);
  }
  [[nodiscard]] Plan plan(const Offer& offer) override;
  [[nodiscard]] Tensors collate(std::span<const Slice> slices) override;

 private:
  [[nodiscard]] at::Tensor stacked(const std::vector<at::Tensor>& rows) const;
  void add(Tensors& out, const std::string& name,
           const std::vector<at::Tensor>& rows) const;
  void add_padded(Tensors& out, const std::string& name,
                  const std::vector<at::Tensor>& rows) const;

  Params params_;
  KeptMemory memory_;
};

}  // namespace penstock::core
