// A YAML file as an immutable tree that knows its positions. yaml_reader.cpp
// makes it; nothing after it sees yaml-cpp.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace penstock::config {

/// Line and column in a file, from 1; columns count characters.
struct Mark {
  int line = 1;
  int column = 1;
};

struct YamlNode;
/// Shared where the file has an alias; never a cycle.
using NodePtr = std::shared_ptr<const YamlNode>;

struct Entry {
  std::string key;
  Mark at;  ///< of the key
  NodePtr value;
};

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  Mark at = {};
  std::string text = {};            ///< of a scalar
  bool is_quoted = false;           ///< of a scalar
  std::vector<NodePtr> items = {};  ///< of a list
  std::vector<Entry> entries = {};  ///< of a map; the keys differ

  // With aliases expanded:
  std::size_t nodes = 1;
  std::size_t bytes = 0;

  /// The value under `key`; nullptr: there is none.
  [[nodiscard]] const Entry* find(const std::string& key) const {
    for (const auto& entry : entries) {
      if (entry.key == key) return &entry;
    }
    return nullptr;
  }
};

}  // namespace penstock::config
