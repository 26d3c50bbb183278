#include "config/keys.h"

#include <algorithm>

#include "penstock/error.h"
#include "penstock/params.h"
#include "penstock/stage_spec.h"

namespace penstock::config {
namespace {

/// `text` up to the first dot; `rest` becomes what follows it.
std::string first_word(const std::string& text, std::string& rest) {
  const auto dot = text.find('.');
  rest = dot == text.npos ? "" : text.substr(dot + 1);
  return text.substr(0, dot);
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

/// The place that a number names in a list of `count` stages.
std::size_t place_in(const std::string& list, const std::string& number,
                     std::size_t count) {
  // Sixteen at most: two digits.
  const std::size_t index = number.size() > 2 ? count : std::stoul(number);
  if (index < count || count == 0) return index;
  throw Error(Code::kData,
              str(list, " has ", count, count == 1 ? " stage" : " stages",
                  "; the first is ", list, ".0"));
}

Address preprocess_stage(const std::string& rest, std::size_t count) {
  std::string after;
  const std::string number = first_word(rest, after);
  if (is_number(number)) return {place_in("preprocess", number, count), after};
  if (count <= 1) return {0, rest};
  throw Error(Code::kData, str("preprocess has ", count,
                               " stages; write preprocess.N.param"));
}

/// Its place among the rules and the decode stage behind them.
Address decode_stage(const std::string& rest, std::size_t rules) {
  std::string after;
  const std::string number = first_word(rest, after);
  if (!is_number(number)) return {rules, rest};
  return {place_in("decode", number, rules + 1), after};
}

}  // namespace

const std::vector<std::string>& stage_keys() {
  static const std::vector<std::string> keys = {
      to_string(StageKind::kPreprocess), to_string(StageKind::kBatch),
      to_string(StageKind::kForward), to_string(StageKind::kDecode),
      to_string(StageKind::kPostprocess)};
  return keys;
}

std::optional<Address> find_stage(const std::string& key,
                                  const Counts& counts) {
  std::string rest;
  const std::string first = first_word(key, rest);
  const auto& keys = stage_keys();
  const auto found = std::find(keys.begin(), keys.end(), first);
  if (found == keys.end()) return std::nullopt;
  if (found == keys.begin()) return preprocess_stage(rest, counts.preprocess);
  auto place =
      counts.preprocess + static_cast<std::size_t>(found - keys.begin()) - 1;
  if (first == to_string(StageKind::kDecode)) {
    Address own = decode_stage(rest, counts.rules);
    own.stage += place;
    return own;
  }
  if (first == to_string(StageKind::kPostprocess)) place += counts.rules;
  return Address{place, rest};
}

std::string key_of(std::size_t stage, const Counts& counts) {
  const auto& keys = stage_keys();
  if (stage < counts.preprocess) {
    return counts.preprocess > 1 ? str(keys[0], ".", stage) : keys[0];
  }
  std::size_t behind = stage - counts.preprocess + 1;
  const std::size_t decode = 3;
  if (behind >= decode && behind < decode + counts.rules) {
    return str(keys[decode], ".", behind - decode);
  }
  if (behind >= decode) behind -= counts.rules;
  return keys[behind];
}

}  // namespace penstock::config
