// What core.map does to a text: each step a small class without a pipeline.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace penstock::core {

struct MapStepOptions {
  std::string step, by, with;
  std::int64_t max_texts = 10'000;
  std::int64_t max_bytes = 16 << 20;
};

/// A text input of the request by name, or null; see text_input().
using InputText = std::function<const std::string*(const std::string&)>;

/// One step, ready. Const, so that any thread may use it.
class MapStep {
 public:
  MapStep() = default;
  MapStep(const MapStep&) = delete;
  MapStep& operator=(const MapStep&) = delete;
  virtual ~MapStep() = default;
  /// What the text becomes: none, one or several. Throws Error(kData).
  [[nodiscard]] virtual std::vector<std::string> texts(
      const std::string& text, const InputText& input) const = 0;
};

/// Throws Error(kData) where `by` is no template, path or regular expression.
[[nodiscard]] std::unique_ptr<const MapStep> make_map_step(
    const MapStepOptions& options);

/// Throws Error(kData) for a text that is longer.
void check_bytes(const std::string& text, std::int64_t most);

}  // namespace penstock::core
