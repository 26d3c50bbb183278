#include "pipeline_run/output/timeline.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "penstock/drawing.h"

namespace penstock::run {
namespace {

using OrderedJson = nlohmann::ordered_json;

const OrderedJson* time_of(const OrderedJson& entry) {
  if (!entry.is_object()) return nullptr;
  for (const char* key : {"time", "begin"}) {
    const auto found = entry.find(key);
    if (found != entry.end() && found->is_number()) return &*found;
  }
  return nullptr;
}

void collect(const std::string& step, const OrderedJson& result,
             std::vector<OrderedJson>& out) {
  for (const OrderedJson& list : result) {
    if (!list.is_array()) continue;
    for (const OrderedJson& entry : list) {
      if (time_of(entry) == nullptr) continue;
      OrderedJson named = {{"step", step}};
      named.update(entry);
      out.push_back(std::move(named));
    }
  }
}

/// Of all results, by time.
std::vector<OrderedJson> sorted_entries(
    const std::vector<std::string>& results) {
  std::vector<OrderedJson> entries;
  for (const std::string& text : results) {
    const OrderedJson steps = OrderedJson::parse(text)["steps"];
    for (const auto& [step, parts] : steps.items()) {
      for (const OrderedJson& part : parts) collect(step, part, entries);
    }
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const OrderedJson& a, const OrderedJson& b) {
                     return time_of(a)->get<double>() <
                            time_of(b)->get<double>();
                   });
  return entries;
}

/// What a person reads of an entry.
std::string words_of(const OrderedJson& entry) {
  if (const auto text = entry.find("text"); text != entry.end()) {
    return text->is_string() ? text->get<std::string>() : text->dump();
  }
  const auto labels = entry.find("labels");
  if (labels == entry.end() || !labels->is_array() || labels->empty()) {
    return "";
  }
  const OrderedJson& best = labels->front();
  const auto label = best.find("label");
  const bool is_text = label != best.end() && label->is_string();
  return is_text ? label->get<std::string>() : "";
}

constexpr double kLeft = 90, kWidth = 1200, kLane = 46;

/// Of an entry, up to the next of its step.
struct Shown {
  double begin, end, next;
  std::string words;
};

void draw_lane(const std::string& step, const std::vector<Shown>& all,
               double total, double y, Svg& svg) {
  svg.text(8, y + kLane / 2, 13, step, kLeft - 16);
  for (const Shown& each : all) {
    const double x = kLeft + each.begin / total * kWidth;
    const double width = (each.end - each.begin) / total * kWidth;
    if (width > 0) {
      svg.rect(x, y + 4, width, kLane - 8, "#cde0f4");
    } else {
      svg.line(x, y + 4, x, y + kLane - 4, "#4472a8");
    }
    svg.text(x + 3, y + kLane / 2 + 4, 11, each.words,
             (each.next - each.begin) / total * kWidth - 3);
  }
}

}  // namespace

std::string timeline(const std::vector<std::string>& results) {
  const auto entries = sorted_entries(results);
  if (entries.empty()) return "";
  return OrderedJson{{"timeline", entries}}.dump(
      -1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string timeline_svg(const std::vector<std::string>& results) {
  std::map<std::string, std::vector<Shown>> lanes;
  double total = 0;
  for (const OrderedJson& entry : sorted_entries(results)) {
    const double begin = time_of(entry)->get<double>();
    const auto found = entry.find("end");
    const bool has_end = found != entry.end() && found->is_number();
    const double end = has_end ? found->get<double>() : begin;
    auto& lane = lanes[entry["step"]];
    if (!lane.empty()) lane.back().next = begin;
    lane.push_back(
        {.begin = begin, .end = end, .next = 0, .words = words_of(entry)});
    total = std::max({total, begin, end});
  }
  if (lanes.empty()) return "";
  total = std::max(total, 1e-3);
  Svg svg(kLeft + kWidth + 100, kLane * static_cast<double>(lanes.size()) + 30);
  double y = 5;
  for (auto& [step, all] : lanes) {
    all.back().next = std::max(all.back().end, total * 1.08);
    draw_lane(step, all, total, y, svg);
    y += kLane;
  }
  svg.seconds(kLeft, y, kWidth, total);
  return std::move(svg).take();
}

}  // namespace penstock::run
