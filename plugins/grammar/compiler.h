// Compiler: from what a request wrote to something that says, at each place,
// which tokens may come. xgrammar does it; it stays in this folder's sources.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "penstock/notes.h"
#include "penstock/vocabulary.h"

namespace penstock::grammar {

enum class Kind { kSchema, kJson, kRegex, kGrammar, kLark, kCalls };
/// The param's name.
[[nodiscard]] const char* name_of(Kind kind);

struct Source {
  Kind kind = Kind::kJson;
  std::string text;
  bool any_whitespace = false;

  friend auto operator<=>(const Source&, const Source&) = default;
};

/// That a source may have.
inline constexpr std::size_t kMostBytes = std::size_t{64} << 10U;

/// That is kept of what schemas have in common, where nobody says otherwise.
inline constexpr std::size_t kSharedBytes = std::size_t{16} << 20U;

/// Immutable; any thread.
struct Compiled {
  struct Impl;
  std::shared_ptr<const Impl> impl;
  std::size_t bytes = 0;
};

/// Any thread.
class Compiler {
 public:
  /// Costs nothing. The first grammar looks at every token: 0.1 s for
  /// 262,144. `ends`: ids that end an answer. `shared_bytes`: most that is kept
  /// of what schemas have in common.
  Compiler(std::shared_ptr<const Vocabulary> vocabulary, const Tokens& ends,
           std::size_t shared_bytes = kSharedBytes);
  ~Compiler();

  /// Throws Error(kData) that names the place of what it cannot do.
  [[nodiscard]] std::shared_ptr<const Compiled> compile(
      const Source& source) const;
  [[nodiscard]] const std::shared_ptr<const Vocabulary>& vocabulary() const {
    return vocabulary_;
  }

 private:
  struct Impl;
  [[nodiscard]] const Impl& impl() const;

  std::shared_ptr<const Vocabulary> vocabulary_;
  std::int64_t shared_bytes_;
  std::vector<int> ends_;
  mutable std::once_flag is_made_;
  mutable std::unique_ptr<const Impl> impl_;  ///< made when asked
};

}  // namespace penstock::grammar
