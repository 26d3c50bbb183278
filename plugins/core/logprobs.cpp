#include "core/logprobs.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <limits>

namespace penstock::core {

void Logprobs::add(std::int64_t id, float raw,
                   const std::vector<Candidate>& others, float norm) {
  std::vector<Candidate> best(std::min(best_, others.size()));
  std::partial_sort_copy(others.begin(), others.end(), best.begin(), best.end(),
                         [](const Candidate& a, const Candidate& b) {
                           return a.raw != b.raw ? a.raw > b.raw : a.id < b.id;
                         });
  ids_.push_back(id);
  values_.push_back(raw - norm);
  for (std::size_t i = 0; i < best_; ++i) {
    const bool is_there = i < best.size();  // a vocabulary may be smaller
    ids_.push_back(is_there ? best[i].id : -1);
    values_.push_back(is_there ? best[i].raw - norm
                               : -std::numeric_limits<float>::infinity());
  }
}

void Logprobs::put(const char* ids, const char* values, Tensors& to) const {
  const auto columns = static_cast<std::int64_t>(best_) + 1;
  to.emplace_back(ids, at::tensor(ids_).view({-1, columns}));
  to.emplace_back(values, at::tensor(values_).view({-1, columns}));
}

}  // namespace penstock::core
