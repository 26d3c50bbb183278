// core.embedding: a vector as JSON, and a line about it for people.
#pragma once

#include "penstock/postprocess.h"

namespace penstock::core {

/// Input: embedding f32[D]. Output: JSON {"embedding": [...]}, and as text its
/// size, its length and its first numbers.
class Embedding final : public Postprocess {
 public:
  struct Params {};
  static void declare(Declaration<Embedding>& d);
  explicit Embedding(const Params& /*params*/) {}

  [[nodiscard]] std::unique_ptr<Writer> begin(
      const Request& request) const override;
};

}  // namespace penstock::core
