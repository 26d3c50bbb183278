// GrammarCache: compiled grammars for requests that ask the same again.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>

#include "grammar/compiler.h"

namespace penstock::grammar {

/// Any thread. What answers still use lives on when it is dropped.
class GrammarCache {
 public:
  explicit GrammarCache(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  using Value = std::shared_ptr<const Compiled>;
  /// The kept one, or what `make` gives, which runs without a lock.
  [[nodiscard]] Value get(const Source& source,
                          const std::function<Value()>& make);
  void clear();
  [[nodiscard]] std::size_t bytes() const;

 private:
  using Entry = std::pair<Source, Value>;

  std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  ///< the last used first
  std::map<Source, std::list<Entry>::iterator> places_;
  std::size_t bytes_ = 0;
};

}  // namespace penstock::grammar
