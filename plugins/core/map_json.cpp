#include "core/map_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "penstock/error.h"
#include "penstock/json.h"

namespace penstock::core {

struct JsonText::Document {
  nlohmann::ordered_json root;
};

namespace {

using Node = nlohmann::ordered_json;

constexpr std::size_t kMostNames = 20;  ///< that a message lists

std::string text_of_json(const Node& node) {
  if (node.is_string()) return node.get<std::string>();
  return node.dump(-1, ' ', false, Node::error_handler_t::replace);
}

/// The child of that name or place; null: there is none.
const Node* child(const Node& node, const std::string& name) {
  if (node.is_object()) {
    const auto found = node.find(name);
    return found == node.end() ? nullptr : &*found;
  }
  const bool is_number = !name.empty() && name.size() < 10 &&
                         std::all_of(name.begin(), name.end(), [](char c) {
                           return c >= '0' && c <= '9';
                         });
  if (!node.is_array() || !is_number) return nullptr;
  const std::size_t at = std::stoul(name);
  return at < node.size() ? &node[at] : nullptr;
}

std::string names_in(const Node& node) {
  if (node.is_array()) return str("a list of ", node.size());
  if (!node.is_object()) return str("a ", node.type_name());
  std::string out;
  std::size_t count = 0;
  for (const auto& [name, value] : node.items()) {
    if (count++ == kMostNames) return out + ", ...";
    out += (out.empty() ? "an object of " : ", ") + name;
  }
  return out.empty() ? "an empty object" : out;
}

/// Follows the path; stops at the last node there is and says what is left.
const Node& walk(const Node& root, const std::string& path, std::string& left) {
  const Node* node = &root;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('.', at), path.size());
    const Node* next = child(*node, path.substr(at, end - at));
    if (next == nullptr) {
      left = path.substr(at);
      return *node;
    }
    node = next;
    at = end + 1;
  }
  return *node;
}

const Node& walk_all(const Node& root, const std::string& path) {
  std::string left;
  const Node& node = walk(root, path, left);
  if (left.empty()) return node;
  const std::string before = path.substr(0, path.size() - left.size());
  throw Error(
      Code::kData,
      str("the JSON has no '", path, "': ",
          before.empty() ? "it"
                         : "'" + before.substr(0, before.size() - 1) + "'",
          " is ", names_in(node)));
}

}  // namespace

JsonText::JsonText(const std::string& text) : text_(text) {}

JsonText::~JsonText() = default;

const JsonText::Document& JsonText::document() const {
  if (!document_) {
    // Its limits hold for whatever a client sends, nesting above all.
    (void)parse_json(text_, "the text");
    document_ = std::make_unique<Document>(Document{Node::parse(text_)});
  }
  return *document_;
}

std::optional<std::string> JsonText::find(const std::string& path) const {
  const std::size_t first = text_.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || text_[first] != '{') return std::nullopt;
  if (!document_ && !Node::accept(text_)) return std::nullopt;
  std::string left;
  const Node& node = walk(document().root, path, left);
  if (!left.empty()) return std::nullopt;
  return text_of_json(node);
}

std::string JsonText::at(const std::string& path) const {
  return text_of_json(walk_all(document().root, path));
}

std::vector<std::string> JsonText::list(const std::string& path,
                                        std::int64_t most) const {
  const Node& node = walk_all(document().root, path);
  if (!node.is_array()) {
    throw Error(Code::kData, str(path.empty() ? "the JSON" : "'" + path + "'",
                                 " is ", names_in(node), "; expected a list"));
  }
  if (static_cast<std::int64_t>(node.size()) > most) {
    throw Error(Code::kData,
                str("the list has ", node.size(), " elements; at most ", most,
                    " are taken, set max_items for more"));
  }
  std::vector<std::string> out;
  out.reserve(node.size());
  for (const Node& each : node) out.push_back(text_of_json(each));
  return out;
}

std::string JsonText::keys() const {
  if (!Node::accept(text_)) return "";
  return str(" (it is ", names_in(document().root), ")");
}

}  // namespace penstock::core
