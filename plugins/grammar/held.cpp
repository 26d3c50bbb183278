#include "grammar/held.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "penstock/keys.h"
#include "penstock/weights.h"

namespace penstock::grammar {
namespace {

/// Of each token; measured with Gemma's 262,144.
constexpr std::int64_t kTokenBytes = 130;

/// Those of one model, by the ids that end an answer.
class Compilers {
 public:
  [[nodiscard]] std::shared_ptr<const Compiler> get(
      const std::shared_ptr<const Vocabulary>& vocabulary, const Tokens& ends,
      std::size_t shared_bytes) const {
    const std::scoped_lock lock(mutex_);
    auto& entry = all_[ends];
    if (!entry) {
      entry = std::make_shared<const Compiler>(vocabulary, ends, shared_bytes);
    }
    return entry;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::map<Tokens, std::shared_ptr<const Compiler>> all_;
};

class Held final : public PreparedRule {
 public:
  Held(std::shared_ptr<const Compiled> compiled,
       std::shared_ptr<const Vocabulary> vocabulary, ForcedText forced)
      : compiled_(std::move(compiled)),
        vocabulary_(std::move(vocabulary)),
        forced_(forced) {}
  [[nodiscard]] std::unique_ptr<RuledAnswer> begin() const override {
    return std::make_unique<Answer>(compiled_, vocabulary_, forced_);
  }

 private:
  std::shared_ptr<const Compiled> compiled_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  ForcedText forced_;
};

}  // namespace

std::shared_ptr<const Compiler> shared_compiler(const StageContext& context,
                                                const Tokens& more,
                                                std::size_t shared_bytes) {
  const auto vocabulary = context.shared_by_another<Vocabulary>();
  if (!vocabulary) {
    throw Error(Code::kUsage,
                str("no stage before it shares the vocabulary of the model '",
                    context.model, "'; gemma.tokenize does"));
  }
  Tokens ends = get_or(context.facts, kEosIds, {});
  ends.insert(ends.end(), more.begin(), more.end());
  if (ends.empty()) {
    throw Error(Code::kUsage,
                "the model names no token that ends an answer (eos_ids)");
  }
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  const auto compilers = context.share<Compilers>(
      [] { return std::make_shared<const Compilers>(); });
  return compilers->get(vocabulary, ends, shared_bytes);
}

std::int64_t compiler_bytes(const std::string& model) {
  if (model.empty()) return 0;
  const WeightFile file = WeightFile::open(model);
  std::int64_t tokens = 0;  // no tensor has more rows than the embedding
  for (const WeightTensor& tensor : file.tensors()) {
    tokens = std::max(tokens, tensor.rows());
  }
  return tokens * kTokenBytes;
}

std::shared_ptr<const PreparedRule> held_to(
    std::shared_ptr<const Compiled> compiled,
    std::shared_ptr<const Vocabulary> vocabulary, ForcedText forced) {
  return std::make_shared<const Held>(std::move(compiled),
                                      std::move(vocabulary), forced);
}

}  // namespace penstock::grammar
