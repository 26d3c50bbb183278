#include "grammar/grammar_cache.h"

namespace penstock::grammar {

GrammarCache::Value GrammarCache::get(const Source& source,
                                      const std::function<Value()>& make) {
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = places_.find(source); found != places_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->second;
    }
  }
  Value made = make();
  const std::scoped_lock lock(mutex_);
  if (made->bytes > most_bytes_ || places_.contains(source)) return made;
  entries_.emplace_front(source, made);
  places_[source] = entries_.begin();
  bytes_ += made->bytes;
  while (bytes_ > most_bytes_) {
    bytes_ -= entries_.back().second->bytes;
    places_.erase(entries_.back().first);
    entries_.pop_back();
  }
  return made;
}

void GrammarCache::clear() {
  const std::scoped_lock lock(mutex_);
  places_.clear();
  entries_.clear();
  bytes_ = 0;
}

std::size_t GrammarCache::bytes() const {
  const std::scoped_lock lock(mutex_);
  return bytes_;
}

}  // namespace penstock::grammar
