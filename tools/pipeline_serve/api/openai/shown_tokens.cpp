#include "pipeline_serve/api/openai/shown_tokens.h"

#include <iterator>

namespace penstock::serve {
namespace {

std::size_t size_of(const OutJson& token) {
  const auto found = token.find("bytes");
  return found == token.end() || found->is_null() ? 0 : found->size();
}

}  // namespace

std::string bytes_of(const OutJson& token) {
  std::string out;
  const auto found = token.find("bytes");
  if (found == token.end() || found->is_null()) return out;
  for (const OutJson& byte : *found) {
    out += static_cast<char>(byte.get<unsigned char>());
  }
  return out;
}

TokenList ShownTokens::take(std::size_t count) {
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
  TokenList out(std::make_move_iterator(waiting_.begin()),
                std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  return out;
}

TokenList ShownTokens::show(std::size_t bytes) {
  shown_ += bytes;
  std::size_t count = 0;
  while (count < waiting_.size() && begin_ < shown_) {
    begin_ += size_of(waiting_[count++]);
  }
  return take(count);
}

TokenList ShownTokens::finish(const std::string& reason) {
  if (waiting_.empty() || reason == "length") return take(waiting_.size());
  const bool is_end_token = size_of(waiting_.back()) == 0;
  return take(is_end_token ? waiting_.size() - 1 : 0);
}

}  // namespace penstock::serve
