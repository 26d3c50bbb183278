// Vocabulary: a model's tokens as texts, whatever file they came from. A stage
// that reads it shares it with the others of its pipeline:
//
//   context.share<Vocabulary>([&] { return std::make_shared<const Mine>(...);
//   });
//
// and a rule, which is opened later, finds it by context.shared_by_another().
#pragma once

#include <string>
#include <string_view>

#include "penstock/notes.h"

namespace penstock {

/// Any thread.
class PENSTOCK_API Vocabulary {
 public:
  virtual ~Vocabulary();
  /// Ids are below it.
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// The bytes that the id adds to a text, which may be a part of a character;
  /// empty: it is no text, such as the end of a turn.
  [[nodiscard]] virtual std::string bytes(std::int64_t id) const = 0;
  /// The ids of UTF-8 text that goes on behind other text.
  [[nodiscard]] virtual Tokens encode(std::string_view text) const = 0;
};

}  // namespace penstock
