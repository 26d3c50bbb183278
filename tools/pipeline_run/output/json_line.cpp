#include "pipeline_run/output/json_line.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "penstock/outcome.h"

#include "penstock/keys.h"

namespace penstock::run {
namespace {

using OrderedJson = nlohmann::ordered_json;

double rounded(double milliseconds) {
  return std::round(milliseconds * 1000) / 1000;
}

OrderedJson timing_json(const Timing& timing) {
  return {{"queue_ms", rounded(timing.queue_ms)},
          {"prefill_ms", rounded(timing.prefill_ms)},
          {"decode_ms", rounded(timing.decode_ms)},
          {"first_token_ms", rounded(timing.first_token_ms)}};
}

/// A stage's own keys win over those of every line.
void add_pieces(const std::vector<std::string>& pieces, OrderedJson& to) {
  if (!pieces.empty()) to.update(OrderedJson::parse(join_json(pieces)));
}

OrderedJson choice(std::size_t index, const Branch& branch,
                   const Written& written, bool has_text) {
  OrderedJson out;
  out["index"] = index;
  if (has_text) out["text"] = written.text;
  out["token_ids"] = branch.token_ids;
  out["finish_reason"] = branch.finish_reason;
  add_pieces(written.json, out);
  return out;
}

const Written& of(const std::map<int, Written>& branches, std::size_t index) {
  static const Written nothing;
  const auto found = branches.find(static_cast<int>(index));
  return found == branches.end() ? nothing : found->second;
}

void add_warnings(const Report& report, OrderedJson& line) {
  if (!report.warnings.empty()) line["warnings"] = report.warnings;
}

OrderedJson error_json(const Error& error) {
  return {{"code", to_string(error.code())}, {"message", error.what()}};
}

/// The JSON pieces, and `choices` where there are several.
void add_written(const Report& report, const std::map<int, Written>& branches,
                 bool has_text, OrderedJson& line) {
  add_pieces(of(branches, 0).json, line);
  if (report.branches.size() < 2) return;
  for (std::size_t i = 0; i < report.branches.size(); ++i) {
    line["choices"].push_back(
        choice(i, report.branches[i], of(branches, i), has_text));
  }
}

/// Which seconds of a file the request was about, where not all of it.
void add_part(const Request& request, OrderedJson& line) {
  for (const auto& [name, value] : request.inputs) {
    const auto* media = std::get_if<Media>(&value);
    if (media == nullptr || (media->begin <= 0 && std::isinf(media->end))) {
      continue;
    }
    line[name] = {{"path", media->name},
                  {"begin", rounded(media->begin)},
                  {"end", rounded(media->end)}};
  }
}

}  // namespace

std::string step_json(const std::string& step, const Request& request,
                      const Report& report,
                      const std::map<int, Written>& branches) {
  OrderedJson part;
  add_part(request, part);
  part["text"] = of(branches, 0).text;
  if (!report.token_ids.empty()) part["token_ids"] = report.token_ids;
  part["finish_reason"] = report.finish_reason;
  add_written(report, branches, /*has_text=*/true, part);
  add_warnings(report, part);
  if (report.error) part["error"] = error_json(*report.error);
  const OrderedJson whole = {{"steps", {{step, OrderedJson::array({part})}}}};
  return whole.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string json_line(const Request& request, const Report& report,
                      const std::map<int, Written>& branches,
                      const RunFacts& facts, bool has_text) {
  OrderedJson line;
  line["id"] = request.id;
  if (has_text) line["text"] = of(branches, 0).text;
  line["token_ids"] = report.token_ids;
  line["prompt_tokens"] = report.prompt_tokens;
  line["finish_reason"] = report.finish_reason;
  for (const auto& note : {kTruncated, kTruncatedBytes}) {
    if (const std::int64_t* cut = find(report.notes, note)) {
      line[note.name] = *cut;
    }
  }
  add_written(report, branches, has_text, line);
  if (!facts.dtype.empty()) line["dtype"] = facts.dtype;
  line["device"] = facts.device;
  if (!facts.device_why.empty()) line["device_why"] = facts.device_why;
  line["timing"] = timing_json(report.timing);
  add_warnings(report, line);
  if (report.error) line["error"] = error_json(*report.error);
  return line.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) +
         "\n";
}

}  // namespace penstock::run
