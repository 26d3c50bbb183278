#include "pipeline_serve/serving/keys.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>
#include <utility>

#include "penstock/error.h"

namespace penstock::serve {
namespace {

using Hash = std::array<unsigned char, 32>;

Hash hash_of(std::string_view text) {
  Hash out{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         out.data());
  return out;
}

/// The bytes of 64 hexadecimal digits; nothing for anything else.
std::optional<Hash> from_hex(std::string_view text) {
  Hash out{};
  if (text.size() != 2 * out.size()) return {};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const char* at = text.data() + 2 * i;
    if (std::from_chars(at, at + 2, out[i], 16).ptr != at + 2) return {};
  }
  return out;
}

std::int64_t count_of(const std::string& text) {
  std::int64_t out = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || out < 0) {
    throw Error(Code::kData, str("'", text, "' is no count"));
  }
  return out;
}

template <class T>
T number_of(const std::string& name, const std::string& text, T least, T most) {
  T out{};
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out);
  // Written so that a NaN fails.
  const bool is_fine =
      error == std::errc() && at == end && out >= least && out <= most;
  if (is_fine) return out;
  throw Error(Code::kData, str(name, " is '", text.substr(0, 40),
                               "', expected ", least, " to ", most));
}

void set(Key& key, const std::string& word) {
  const auto equals = word.find('=');
  const std::string name = word.substr(0, equals);
  const std::string value =
      equals == std::string::npos ? "" : word.substr(equals + 1);
  if (name == "name") {
    key.name = value;
  } else if (name == "requests_per_minute") {
    key.requests_per_minute = count_of(value);
  } else if (name == "concurrency") {
    key.concurrency = count_of(value);
  } else if (name == "weight") {
    key.weight = number_of(name, value, 0.01, 100.0);
  } else if (name == "priority") {
    key.priority = number_of<std::int64_t>(name, value, -1000, 1000);
  } else {
    throw Error(Code::kData, str("'", name.substr(0, 40),
                                 "' is not known; known: name, "
                                 "requests_per_minute, concurrency, weight, "
                                 "priority"));
  }
}

Key read_line(const std::string& line, std::size_t number) {
  constexpr std::string_view kHashed = "sha256:";
  std::istringstream words(line);
  std::string word;
  words >> word;
  Key key;
  key.name = "key " + std::to_string(number);
  if (word.starts_with(kHashed)) {
    const auto hash = from_hex(std::string_view(word).substr(kHashed.size()));
    if (!hash)
      throw Error(Code::kData, "sha256: without 64 hexadecimal digits");
    key.hash = *hash;
  } else {
    key.hash = hash_of(word);
  }
  while (words >> word) set(key, word);
  return key;
}

HttpError too_many(const std::string& message, double wait) {
  HttpError error = http_error(429, message, "", "rate_limit_exceeded");
  error.fields.add("Retry-After", std::to_string(std::max(
                                      1, static_cast<int>(std::ceil(wait)))));
  return error;
}

}  // namespace

void Keys::read(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) {
    throw Error(Code::kNotFound,
                str("cannot read the keys in '", file.string(), "'"));
  }
  std::vector<Key> keys;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos ||
        line[line.find_first_not_of(" \t")] == '#') {
      continue;
    }
    try {
      keys.push_back(read_line(line, number));
    } catch (Error& error) {
      throw error.in(str(file.string(), ":", number));
    }
  }
  if (keys.empty()) {
    throw Error(Code::kData, str("'", file.string(), "' has no key"));
  }
  const std::scoped_lock lock(mutex_);
  keys_ = std::move(keys);
}

bool Keys::is_empty() const {
  const std::scoped_lock lock(mutex_);
  return keys_.empty();
}

std::string Keys::client_of(std::string_view authorization) const {
  constexpr std::string_view kScheme = "Bearer ";
  const bool is_bearer = authorization.starts_with(kScheme);
  const Hash hash =
      hash_of(is_bearer ? authorization.substr(kScheme.size()) : "");
  const std::scoped_lock lock(mutex_);
  const Key* found = nullptr;
  for (const Key& key : keys_) {
    if (CRYPTO_memcmp(key.hash.data(), hash.data(), hash.size()) == 0) {
      found = &key;
    }
  }
  if (found != nullptr && is_bearer) return found->name;
  HttpError error =
      http_error(401, "a valid key is needed: send 'Authorization: Bearer KEY'",
                 "", "invalid_api_key");
  error.fields.add("WWW-Authenticate", "Bearer");
  throw HttpError(error);
}

const Key* Keys::find(const std::string& client) const {
  const auto key =
      std::find_if(keys_.begin(), keys_.end(),
                   [&](const Key& each) { return each.name == client; });
  return key == keys_.end() ? nullptr : &*key;
}

Terms Keys::terms_of(const std::string& client) const {
  const std::scoped_lock lock(mutex_);
  const Key* key = find(client);
  if (key == nullptr) return {};
  return {.weight = key->weight, .priority = key->priority};
}

std::shared_ptr<void> Keys::take_place(const std::string& client) {
  const std::scoped_lock lock(mutex_);
  const Key* key = find(client);
  if (key == nullptr) return {};
  Use& use = uses_[client];
  if (key->concurrency > 0 && use.running >= key->concurrency) {
    throw too_many(
        str("this key may have ", key->concurrency, " requests in progress"),
        1);
  }
  if (key->requests_per_minute > 0) {
    const auto rate = static_cast<double>(key->requests_per_minute) / 60;
    const Time now = Clock::now();
    const double since =
        use.seen == Time()
            ? 60.0
            : std::chrono::duration<double>(now - use.seen).count();
    use.seen = now;
    use.allowance = std::min(use.allowance + since * rate, rate * 60);
    if (use.allowance < 1) {
      throw too_many(str("this key may begin ", key->requests_per_minute,
                         " requests a minute"),
                     (1 - use.allowance) / rate);
    }
    use.allowance -= 1;
  }
  ++use.running;
  return {nullptr, [this, client](void*) {
            const std::scoped_lock again(mutex_);
            --uses_[client].running;
          }};
}

}  // namespace penstock::serve
