#include "json_line.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace penstock::run {
namespace {

using Json = nlohmann::ordered_json;

double rounded(double milliseconds) {
  return std::round(milliseconds * 1000) / 1000;
}

Json timing_json(const Timing& timing) {
  return {{"queue_ms", rounded(timing.queue_ms)},
          {"prefill_ms", rounded(timing.prefill_ms)},
          {"decode_ms", rounded(timing.decode_ms)},
          {"first_token_ms", rounded(timing.first_token_ms)}};
}

/// Joins `from` into `to`: lists go on, objects are joined key by key, any
/// other value replaces the one before.
void join(Json& to, Json from) {
  if (from.is_array() && to.is_array()) {
    for (Json& item : from) to.push_back(std::move(item));
  } else if (from.is_object() && to.is_object()) {
    for (auto item = from.begin(); item != from.end(); ++item) {
      join(to[item.key()], std::move(item.value()));
    }
  } else {
    to = std::move(from);
  }
}

void join_pieces(const std::vector<std::string>& pieces, Json& to) {
  for (const std::string& piece : pieces) join(to, Json::parse(piece));
}

Json choice(std::size_t index, const Branch& branch, const Written& written,
            bool has_text) {
  Json out;
  out["index"] = index;
  if (has_text) out["text"] = written.text;
  out["token_ids"] = branch.token_ids;
  out["finish_reason"] = branch.finish_reason;
  join_pieces(written.json, out);
  return out;
}

const Written& of(const std::map<int, Written>& branches, std::size_t index) {
  static const Written nothing;
  const auto found = branches.find(static_cast<int>(index));
  return found == branches.end() ? nothing : found->second;
}

}  // namespace

std::string json_line(const Request& request, const Report& report,
                      const std::map<int, Written>& branches,
                      const RunFacts& facts, bool has_text) {
  Json line;
  line["id"] = request.id;
  if (has_text) line["text"] = of(branches, 0).text;
  line["token_ids"] = report.token_ids;
  line["prompt_tokens"] = report.prompt_tokens;
  line["finish_reason"] = report.finish_reason;
  if (const auto cut = report.notes.find("truncated");
      cut != report.notes.end()) {
    line["truncated"] = std::get<std::int64_t>(cut->second);
  }
  join_pieces(of(branches, 0).json, line);
  if (report.branches.size() > 1) {
    for (std::size_t i = 0; i < report.branches.size(); ++i) {
      line["choices"].push_back(
          choice(i, report.branches[i], of(branches, i), has_text));
    }
  }
  if (!facts.dtype.empty()) line["dtype"] = facts.dtype;
  line["device"] = facts.device;
  line["timing"] = timing_json(report.timing);
  if (report.error) {
    line["error"] = {{"code", name(report.error->code())},
                     {"message", report.error->what()}};
  }
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace penstock::run
