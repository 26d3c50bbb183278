// API keys from a file: who may come in, and how much each may ask for.
//
//   # key, or sha256:HEX of it, then what is said of it
//   secret-of-the-app  name=app
//   sha256:9f86d0...   name=guest requests_per_minute=60 concurrency=2
//   night-jobs         name=night weight=0.25 priority=-1
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline_serve/http/message.h"

namespace penstock::serve {

struct Key {
  std::array<unsigned char, 32> hash{};  ///< SHA-256
  std::string name;
  std::int64_t requests_per_minute = 0;  ///< 0: any number
  std::int64_t concurrency = 0;          ///< requests at once; 0: any number
  double weight = 1;          ///< share of its tokens beside other clients'
  std::int64_t priority = 0;  ///< the highest that its requests may have
};

class Keys {
 public:
  /// Throws Error(kNotFound, kData) that names file and line.
  void read(const std::filesystem::path& file);
  /// Nobody needs a key.
  [[nodiscard]] bool is_empty() const;
  /// Whose key `authorization` carries ("Bearer KEY"); throws HttpError 401,
  /// the same whatever is wrong. Every key is compared, in constant time.
  [[nodiscard]] std::string client_of(std::string_view authorization) const;
  /// What was said of that client's key.
  [[nodiscard]] Terms terms_of(const std::string& client) const;
  /// A place for one request of that client, given back with the last copy;
  /// throws HttpError 429.
  [[nodiscard]] std::shared_ptr<void> take_place(const std::string& client);

 private:
  struct Use {
    std::int64_t running = 0;
    double allowance = 0;  ///< requests it may begin now
    Time seen{};
  };
  /// The first of that name, or null. The mutex is held.
  [[nodiscard]] const Key* find(const std::string& client) const;

  mutable std::mutex mutex_;
  std::vector<Key> keys_;
  std::map<std::string, Use> uses_;
};

}  // namespace penstock::serve
