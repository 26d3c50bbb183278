#include "grammar/other_names.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string_view>

#include "penstock/error.h"

namespace penstock::grammar {
namespace {

constexpr std::size_t kMostNodes = 16, kMostLooked = 3;

using Characters = std::vector<std::uint32_t>;

/// Code points of UTF-8 that is well formed.
Characters characters(std::string_view text) {
  Characters out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) == 0x80) {
      out.back() = out.back() << 6U | (byte & 0x3FU);
    } else {
      const unsigned lead = byte < 0x80   ? 0x7F
                            : byte < 0xE0 ? 0x1F
                            : byte < 0xF0 ? 0x0F
                                          : 0x07;
      out.push_back(byte & lead);
    }
  }
  return out;
}

bool is_written(std::uint32_t character) {
  return character >= 0x20 && character != '"' && character != '\\';
}

std::string escaped(std::uint32_t character) {
  std::array<char, 16> out{};
  (void)std::snprintf(out.data(), out.size(), "\\U%08x", character);
  return out.data();
}

/// Beginnings of names: which characters follow, and whether a name ends.
struct Node {
  std::map<std::uint32_t, Node> next;
  bool is_name = false;

  [[nodiscard]] std::size_t count() const {
    std::size_t sum = 1;
    for (const auto& [character, each] : next) sum += each.count();
    return sum;
  }
};

Node tree_of(const std::vector<std::string>& names, std::size_t depth) {
  Node root;
  for (const std::string& name : names) {
    const Characters all = characters(name);
    if (!std::all_of(all.begin(), all.end(), is_written)) continue;
    Node* node = &root;
    for (std::size_t i = 0; i < std::min(depth, all.size()); ++i) {
      node = &node->next[all[i]];
    }
    node->is_name |= all.size() <= depth;
  }
  return root;
}

/// The rules of a node and of those below it.
std::string rules(const std::string& name, const Node& node,
                  std::size_t depth) {
  std::string own = node.is_name ? "" : R"("\"")", below, excluded;
  std::size_t index = 0;
  for (const auto& [character, each] : node.next) {
    excluded += escaped(character);
    const bool is_end = depth == 1 && each.is_name;
    if (is_end) continue;  // nothing may follow
    const std::string inner = str(name, '_', index++);
    own += str(own.empty() ? "" : " | ", "(\"", escaped(character), "\" ",
               inner, ')');
    below += rules(inner, each, depth - 1);
  }
  if (depth > 0) {
    own += str(own.empty() ? "" : " | ", R"(([^\x00-\x1f\"\\)", excluded,
               R"(] [^\x00-\x1f\"\\]* "\""))");
  }
  return str(name, " ::= ", own, '\n', below);
}

}  // namespace

std::string other_name_rules(const std::string& rule,
                             const std::vector<std::string>& names) {
  std::size_t depth = kMostLooked;
  while (depth > 1 && tree_of(names, depth).count() > kMostNodes) --depth;
  return str(rule, R"( ::= "\"" )", rule, "_at\n",
             rules(rule + "_at", tree_of(names, depth), depth));
}

}  // namespace penstock::grammar
