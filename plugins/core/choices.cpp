#include "core/choices.h"

#include <algorithm>
#include <utility>

#include "penstock/keys.h"
#include "penstock/text.h"

namespace penstock::core {
namespace {

constexpr std::size_t kMostTexts = 10'000;
constexpr std::size_t kMostBytes = 1 << 20;

/// Sorted, so that those that begin alike stand together.
using Texts = std::vector<Tokens>;

bool begins(const Tokens& text, std::span<const std::int64_t> with) {
  return text.size() >= with.size() &&
         std::equal(with.begin(), with.end(), text.begin());
}

class OneOf final : public PreparedRule,
                    public std::enable_shared_from_this<OneOf> {
 public:
  OneOf(Texts texts, Tokens ends)
      : texts_(std::move(texts)), ends_(std::move(ends)) {}

  [[nodiscard]] std::unique_ptr<RuledAnswer> begin() const override;

  [[nodiscard]] Ruling look(std::span<const std::int64_t> answer) const {
    Tokens next;
    bool is_one = false;
    const Tokens from(answer.begin(), answer.end());
    for (auto text = std::lower_bound(texts_.begin(), texts_.end(), from);
         text != texts_.end() && begins(*text, answer); ++text) {
      if (text->size() == answer.size()) {
        is_one = true;
      } else {
        next.push_back((*text)[answer.size()]);
      }
    }
    // It may be whole, or the beginning of another: the model says which.
    if (is_one && !next.empty()) {
      next.insert(next.end(), ends_.begin(), ends_.end());
    }
    return {.allowed = std::make_shared<const TokenSet>(std::move(next))};
  }

 private:
  Texts texts_;
  Tokens ends_;
};

class Answer final : public RuledAnswer {
 public:
  explicit Answer(std::shared_ptr<const OneOf> rule) : rule_(std::move(rule)) {}
  [[nodiscard]] Ruling look(std::span<const std::int64_t> answer) override {
    return rule_->look(answer);
  }

 private:
  std::shared_ptr<const OneOf> rule_;
};

std::unique_ptr<RuledAnswer> OneOf::begin() const {
  return std::make_unique<Answer>(shared_from_this());
}

}  // namespace

std::string conflict(const Choices::Params& params) {
  const auto& texts = params.choices;
  if (texts.size() > kMostTexts) {
    return str("choices: ", texts.size(), " texts are too many; the most is ",
               kMostTexts);
  }
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].empty()) return str("choices: text ", i, " is empty");
    if (invalid_utf8(texts[i])) {
      return str("choices: text ", i, " is not UTF-8");
    }
    bytes += texts[i].size();
  }
  if (bytes <= kMostBytes) return "";
  return str("choices: ", bytes, " bytes of text are too many; the most is ",
             kMostBytes);
}

void Choices::declare(Declaration<Choices>& d) {
  d.doc("Rule: the answer is one of some texts, the one the model likes best")
      .uses(kEosIds)
      .light();
  d.param("choices", &Params::choices,
          "the texts that the answer may be; none: any answer")
      .per_request();
  d.check(conflict);
}

void Choices::open(StageContext& context) {
  ends_ = get_or(context.facts, kEosIds, {});
  vocabulary_ = context.shared_by_another<Vocabulary>();
  if (vocabulary_) return;
  throw Error(Code::kUsage,
              str("no stage before it shares the vocabulary of the model '",
                  context.model, "'; gemma.tokenize does"));
}

std::shared_ptr<const PreparedRule> Choices::prepare(
    const Request& request) const {
  const auto& choices = params<Params>(*this, request).choices;
  if (choices.empty()) return nullptr;
  Texts texts;
  for (const std::string& text : choices) {
    texts.push_back(vocabulary_->encode(text));
    if (texts.back().empty()) {
      throw Error(Code::kData,
                  str("choices: '", text, "' has no tokens in this model"));
    }
  }
  std::sort(texts.begin(), texts.end());
  for (std::size_t i = 1; i < texts.size(); ++i) {
    const bool is_longer = texts[i].size() > texts[i - 1].size();
    if (!ends_.empty() || !is_longer || !begins(texts[i], texts[i - 1])) {
      continue;
    }
    throw Error(Code::kData,
                "choices: one of the texts begins another, and the model has "
                "no token that ends an answer, which would tell them apart");
  }
  return std::make_shared<const OneOf>(std::move(texts), ends_);
}

}  // namespace penstock::core
