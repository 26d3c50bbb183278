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

Address preprocess_stage(const std::string& rest, std::size_t count) {
  std::string after;
  const std::string number = first_word(rest, after);
  const bool has_number =
      !number.empty() && number.find_first_not_of("0123456789") == number.npos;
  if (!has_number) {
    if (count <= 1) return {0, rest};
    throw Error(Code::kData, str("preprocess has ", count,
                                 " stages; write preprocess.N.param"));
  }
  // Sixteen at most: two digits.
  const std::size_t index = number.size() > 2 ? count : std::stoul(number);
  if (index >= count && count > 0) {
    throw Error(Code::kData,
                str("preprocess has ", count, count == 1 ? " stage" : " stages",
                    "; the first is preprocess.0"));
  }
  return {index, after};
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
                                  std::size_t preprocess_count) {
  std::string rest;
  const std::string first = first_word(key, rest);
  const auto& keys = stage_keys();
  const auto found = std::find(keys.begin(), keys.end(), first);
  if (found == keys.end()) return std::nullopt;
  if (found == keys.begin()) return preprocess_stage(rest, preprocess_count);
  const auto after = static_cast<std::size_t>(found - keys.begin()) - 1;
  return Address{preprocess_count + after, rest};
}

}  // namespace penstock::config
