#include "penstock/outcome.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace penstock {
namespace {

using Tree = nlohmann::ordered_json;

void join(Tree& to, Tree from) {
  if (from.is_array() && to.is_array()) {
    for (Tree& item : from) to.push_back(std::move(item));
  } else if (from.is_object() && to.is_object()) {
    for (auto item = from.begin(); item != from.end(); ++item) {
      join(to[item.key()], std::move(item.value()));
    }
  } else {
    to = std::move(from);
  }
}

const std::vector<Value>& of(const Outcome& outcome, int branch) {
  static const std::vector<Value> nothing;
  const auto found = outcome.pieces.find(branch);
  return found == outcome.pieces.end() ? nothing : found->second;
}

}  // namespace

std::string join_json(const std::vector<std::string>& objects) {
  Tree whole = Tree::object();
  for (const std::string& text : objects) {
    Tree made = Tree::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!made.is_object()) {
      throw Error(Code::kData,
                  "expected a JSON object, not: " + text.substr(0, 64));
    }
    join(whole, std::move(made));
  }
  return whole.dump(-1, ' ', false, Tree::error_handler_t::replace);
}

std::string Outcome::text(int branch) const {
  std::string out;
  for (const Value& value : of(*this, branch)) {
    if (const auto* text = std::get_if<std::string>(&value)) out += *text;
  }
  return out;
}

std::string Outcome::json(int branch) const {
  std::vector<std::string> objects;
  for (const Value& value : of(*this, branch)) {
    if (const auto* json = std::get_if<Json>(&value)) {
      objects.push_back(json->text);
    }
  }
  return join_json(objects);
}

Collector::Collector(std::string step) : step_(std::move(step)) {}
Collector::~Collector() = default;

void Collector::piece(const Request& request, const Value& value, int branch,
                      bool /*is_final*/) {
  if (step_.empty() || request.step == step_) {
    outcome_.pieces[branch].push_back(value);
  }
}

void Collector::done(const Request& /*request*/, const Report& report) {
  const std::scoped_lock lock(mutex_);
  outcome_.report = report;
  is_over_ = true;
  over_.notify_all();
}

const Outcome& Collector::wait() {
  std::unique_lock lock(mutex_);
  over_.wait(lock, [&] { return is_over_; });
  return outcome_;
}

}  // namespace penstock
