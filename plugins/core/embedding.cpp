#include "core/embedding.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <iomanip>
#include <span>
#include <sstream>
#include <string>

#include "penstock/tensor_names.h"

namespace penstock::core {
namespace {

/// Numbers in the line for people.
constexpr std::size_t kShown = 6;

std::string json_of(std::span<const float> numbers) {
  std::string out = R"({"embedding":[)";
  for (const float number : numbers) {
    std::array<char, 32> text{};
    // As many digits as tell one float from the next.
    (void)std::snprintf(text.data(), text.size(), "%.9g",
                        static_cast<double>(number));
    if (out.back() != '[') out += ',';
    out += text.data();
  }
  return out + "]}";
}

std::string text_of(std::span<const float> numbers) {
  double squares = 0;
  for (const double number : numbers) squares += number * number;
  std::ostringstream out;
  out << std::fixed << std::setprecision(4) << numbers.size()
      << " numbers, length " << std::sqrt(squares) << ":";
  for (const float number : numbers.first(std::min(kShown, numbers.size()))) {
    out << " " << number;
  }
  if (numbers.size() > kShown) out << " ...";
  return out.str();
}

class EmbeddingWriter final : public Writer {
 public:
  bool write(const Decoded& decoded, OutputSink& out) override {
    const at::Tensor* const found = find(decoded.tensors, tensors::kEmbedding);
    if (found == nullptr) return true;
    const auto vector = found->contiguous();
    const std::span numbers(vector.const_data_ptr<float>(),
                            static_cast<std::size_t>(vector.numel()));
    out.emit(Json{json_of(numbers)}, decoded.branch, /*is_final=*/false);
    out.emit(text_of(numbers), decoded.branch, /*is_final=*/true);
    return true;
  }
  void end(OutputSink& /*out*/) override {}
};

}  // namespace

void Embedding::declare(Declaration<Embedding>& d) {
  d.doc("A vector as JSON; as text, a line about it")
      .input("embedding: f32[D]")
      .output("embedding: f32[D]")
      .light();
}

std::unique_ptr<Writer> Embedding::begin(const Request& /*request*/) const {
  return std::make_unique<EmbeddingWriter>();
}

}  // namespace penstock::core
