#include "speech/english/tagger.h"

#include <algorithm>
#include <cmath>

#include "penstock/error.h"
#include "speech/english/characters.h"

namespace penstock::speech {
namespace {

/// What a rare word looks like: "Xx", "d".
std::string shape_of(const std::u32string& word) {
  if (all_alpha(word)) {
    const bool has_small = std::any_of(word.begin(), word.end(), is_lower);
    const bool has_large = std::any_of(word.begin(), word.end(), is_upper);
    if (has_small && !has_large) return "x";
    if (has_large && !has_small) return word.size() > 1 ? "XX" : "X1";
    const bool is_name = has_small && is_upper(word[0]) &&
                         std::none_of(word.begin() + 1, word.end(), is_upper);
    return is_name ? "Xx" : "xX";
  }
  if (std::all_of(word.begin(), word.end(), is_decimal)) return "d";
  std::u32string out;
  for (const char32_t c : std::u32string_view(word).substr(0, 4)) {
    out += is_decimal(c) ? U'd' : is_alpha(c) ? U'x' : c;
  }
  return utf8_of(out);
}

std::string form_of(const std::u32string& word) {
  if (word.size() > 1 && word[0] != U'-' &&
      word.find(U'-') != std::u32string::npos) {
    return "!HYPHEN";
  }
  const bool is_number = std::all_of(word.begin(), word.end(), is_decimal);
  if (is_number && word.size() == 4) return "!YEAR";
  return is_decimal(word[0]) ? "!DIGITS" : utf8_of(lowered(word));
}

/// The last three characters.
std::string end_of(const std::string& text) {
  const std::u32string points = points_of(text);
  return utf8_of(std::u32string_view(points).substr(
      points.size() - std::min<std::size_t>(3, points.size())));
}

std::unordered_map<std::string, std::size_t> ids_of(
    const std::vector<std::string>& tags) {
  std::unordered_map<std::string, std::size_t> out;
  for (std::size_t i = 0; i < tags.size(); ++i) out[tags[i]] = i;
  return out;
}

}  // namespace

Tagger::Tagger(const JsonView& view) {
  for (const JsonView& tag : view.at("tags").items()) {
    tags_.push_back(tag.text());
  }
  if (tags_.empty() || tags_.size() > 1000) {
    view.at("tags").fail("are not 1 to 1000");
  }
  const auto tags = ids_of(tags_);
  for (const auto& [word, tag] : view.at("tagdict").members()) {
    const auto found = tags.find(tag.text());
    if (found == tags.end()) tag.fail("is no tag");
    frequent_[word] = found->second;
  }
  for (const JsonView& word : view.at("vocab").items()) {
    vocabulary_.insert(word.text());
  }
  read_weights(view.at("weights"));
}

void Tagger::read_weights(const JsonView& view) {
  const auto tags = ids_of(tags_);
  const auto* features = std::get_if<JsonValue::Object>(&view.value().data);
  if (features == nullptr) view.fail("is no object, expected features");
  weights_.reserve(features->size());
  // A view of each of 600,000 would take longer than reading them.
  for (const auto& [feature, said] : *features) {
    const auto* by_tag = std::get_if<JsonValue::Object>(&said.data);
    if (by_tag == nullptr) view.at(feature).fail("is no object");
    Weights& out = weights_[feature];
    out.reserve(by_tag->size());
    for (const auto& [tag, weight] : *by_tag) {
      const auto found = tags.find(tag);
      if (found == tags.end()) view.at(feature).at(tag).fail("is of no tag");
      const auto* real = std::get_if<double>(&weight.data);
      out.emplace_back(
          static_cast<std::uint16_t>(found->second),
          static_cast<float>(
              real != nullptr ? *real : view.at(feature).at(tag).real()));
    }
  }
}

std::string Tagger::known_form(const std::u32string& word) const {
  std::string form = form_of(word);
  return vocabulary_.contains(form) ? form : "<" + shape_of(word) + ">";
}

std::size_t Tagger::best(const std::vector<std::string>& features) const {
  std::vector<double> scores(tags_.size());
  bool is_known = false;
  for (const std::string& feature : features) {
    const auto found = weights_.find(feature);
    if (found == weights_.end()) continue;
    for (const auto& [tag, weight] : found->second) scores[tag] += weight;
    is_known |= !found->second.empty();
  }
  if (!is_known) {
    const auto noun = std::find(tags_.begin(), tags_.end(), "NN");
    return noun == tags_.end() ? 0
                               : static_cast<std::size_t>(noun - tags_.begin());
  }
  // Of two that are as good the later name.
  std::size_t out = 0;
  for (std::size_t i = 1; i < scores.size(); ++i) {
    const double over = scores[i] - scores[out];
    const bool is_even = std::abs(over) < 1e-4;
    if (is_even ? tags_[i] > tags_[out] : over > 0) out = i;
  }
  return out;
}

void Tagger::tag(std::vector<Token>& tokens) const {
  std::vector<std::string> forms{"-START2-", "-START-"};
  for (const Token& token : tokens) forms.push_back(known_form(token.text));
  forms.insert(forms.end(), {"-END-", "-END2-"});
  std::string last = "-START-";
  std::string before = "-START2-";
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    Token& token = tokens[i];
    const std::string word = utf8_of(token.text);
    const auto known = frequent_.find(word);
    const auto* const around = &forms[i];
    token.tag =
        tags_[known != frequent_.end()
                  ? known->second
                  : best({"b", "s3=" + end_of(word),
                          "p1=" + utf8_of(token.text.substr(0, 1)),
                          "w=" + around[2], "sh=" + shape_of(token.text),
                          i == 0 ? "i0" : "i+", "t-1=" + last, "t-2=" + before,
                          "t-12=" + last + "," + before, "w-1=" + around[1],
                          "s3-1=" + end_of(around[1]), "w-2=" + around[0],
                          "w+1=" + around[3], "s3+1=" + end_of(around[3]),
                          "w+2=" + around[4]})];
    before = std::exchange(last, token.tag);
  }
}

}  // namespace penstock::speech
