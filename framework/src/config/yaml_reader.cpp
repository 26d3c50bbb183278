#include "config/yaml_reader.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/quote.h"

namespace penstock::config {
namespace {

constexpr std::size_t kDeepest = 64;
constexpr std::size_t kMostAliases = 100;
constexpr std::size_t kMostNodes = 10'000;
constexpr std::size_t kMostBytes = 4 << 20;

Mark mark_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

/// Thrown to stop the parser; the reason is among the problems.
struct Stop {};

/// Builds the tree from the parser's events. A list or map is shared only
/// once it has ended, so that an alias to one that is open is a cycle.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(Problems& problems) : problems_(problems) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 1) return;
    stop(mark_of(mark), "a second document; a pipeline file has one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    // yaml-cpp gives the position of whatever follows an empty value.
    const bool has_place = open_.empty() || open_.back().is_key_next();
    add(std::make_shared<YamlNode>(
            YamlNode{.at = has_place ? mark_of(mark) : open_.back().place()}),
        anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag,
                YAML::anchor_t anchor, const std::string& value) override {
    check_tag(mark, tag);
    add(std::make_shared<YamlNode>(YamlNode{.kind = YamlNode::Kind::kScalar,
                                            .at = mark_of(mark),
                                            .text = value,
                                            .is_quoted = tag == "!",
                                            .bytes = value.size()}),
        anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::Kind::kList, mark, tag, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag,
                  YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::Kind::kMap, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

  [[nodiscard]] NodePtr root() const { return root_; }

 private:
  /// A list or map that has not ended.
  struct Open {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;  ///< of a map: the next node is a value
    bool is_key_bad = false;
    std::string key = {};
    Mark key_at = {};
    std::map<std::string, int> lines = {};  ///< of the keys so far

    [[nodiscard]] bool is_key_next() const {
      return node->kind == YamlNode::Kind::kMap && !has_key;
    }
    [[nodiscard]] Mark place() const { return has_key ? key_at : node->at; }
  };

  [[noreturn]] void stop(Mark at, const std::string& text) {
    problems_.add(at, text);
    throw Stop{};
  }
  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    problems_.add(mark_of(mark), "tag " + shown(tag) +
                                     ": tags have no meaning here; quote a "
                                     "value to make it a text");
  }
  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor);
  void close();
  void add(const std::shared_ptr<YamlNode>& node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = node;
    place(node, node->at);
  }
  void place(const NodePtr& node, Mark at);
  void take_key(Open& map, const NodePtr& node, Mark at);
  void count(YamlNode& parent, const YamlNode& child, Mark at);

  Problems& problems_;
  int documents_ = 0;
  std::size_t aliases_ = 0;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, NodePtr> anchors_;
  NodePtr root_;
};

void Builder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  if (++aliases_ > kMostAliases) {
    stop(mark_of(mark), str("more than ", kMostAliases, " aliases"));
  }
  const auto known = anchors_.find(anchor);
  if (known == anchors_.end()) {
    stop(mark_of(mark), "the alias is inside of what it names: a cycle");
  }
  place(known->second, mark_of(mark));
}

void Builder::open(YamlNode::Kind kind, const YAML::Mark& mark,
                   const std::string& tag, YAML::anchor_t anchor) {
  check_tag(mark, tag);
  if (open_.size() == kDeepest) {
    stop(mark_of(mark), str("nested more than ", kDeepest, " deep"));
  }
  auto node =
      std::make_shared<YamlNode>(YamlNode{.kind = kind, .at = mark_of(mark)});
  open_.push_back({.node = std::move(node), .anchor = anchor});
}

void Builder::close() {
  const Open done = std::move(open_.back());
  open_.pop_back();
  add(done.node, done.anchor);
}

/// Puts a node where the parser is now: `at` is its own place, or the alias.
void Builder::place(const NodePtr& node, Mark at) {
  if (open_.empty()) {
    root_ = node;
    return;
  }
  Open& parent = open_.back();
  count(*parent.node, *node, at);
  if (parent.node->kind == YamlNode::Kind::kList) {
    parent.node->items.push_back(node);
  } else if (!parent.has_key) {
    take_key(parent, node, at);
  } else {
    parent.has_key = false;
    if (parent.is_key_bad) return;
    parent.node->entries.push_back({parent.key, parent.key_at, node});
  }
}

void Builder::take_key(Open& map, const NodePtr& node, Mark at) {
  map.has_key = true;
  map.key_at = at;
  map.key = node->text;
  map.is_key_bad = true;
  if (node->kind != YamlNode::Kind::kScalar) {
    problems_.add(at, "a key must be a word");
  } else if (map.key == "<<") {
    problems_.add(at, "merge keys (<<) are not supported");
  } else if (const auto [known, is_new] = map.lines.emplace(map.key, at.line);
             !is_new) {
    problems_.add(
        at, str("key ", shown(map.key), " is already on line ", known->second));
  } else {
    map.is_key_bad = false;
  }
}

void Builder::count(YamlNode& parent, const YamlNode& child, Mark at) {
  parent.nodes += child.nodes;
  parent.bytes += child.bytes;
  if (parent.nodes > kMostNodes) {
    stop(at, str("more than ", kMostNodes, " values with aliases expanded"));
  }
  if (parent.bytes > kMostBytes) {
    stop(at, "more than 4 MiB of text with aliases expanded");
  }
}

/// A plain `${VAR}` ends at its brace inside of { } or [ ].
std::string hint(const std::string& text, const YAML::Mark& mark) {
  std::istringstream in(text);
  std::string line;
  for (int i = 0; i <= mark.line && std::getline(in, line);) ++i;
  if (line.find("${") == line.npos) return "";
  return "; inside of { } or [ ] a variable is quoted: \"${NAME}\"";
}

}  // namespace

NodePtr read_yaml(const std::string& text, Problems& problems) {
  std::istringstream in(text);
  Builder builder(problems);
  try {
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
    problems.throw_if_any();
  } catch (const YAML::Exception& error) {
    problems.add(mark_of(error.mark),
                 "not YAML: " + error.msg + hint(text, error.mark));
    problems.throw_if_any();
  }
  if (builder.root()) return builder.root();
  return std::make_shared<YamlNode>();
}

}  // namespace penstock::config
