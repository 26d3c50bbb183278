// The metadata half of WeightFile: turns stored values into C++ ones.

#include <cmath>
#include <concepts>
#include <limits>

#include "penstock/error.h"
#include "penstock/weights.h"
#include "weights/byte_reader.h"
#include "weights/metadata.h"
#include "weights/weight_file_impl.h"

namespace penstock {

using weights::MetadataValue;
using weights::ValueType;

const MetadataValue* WeightFile::Impl::value(std::string_view key) const {
  const auto found = metadata_by_key.find(key);
  return found == metadata_by_key.end() ? nullptr
                                        : &metadata[found->second].value;
}

const MetadataValue& WeightFile::Impl::required(
    std::string_view key, std::string_view expected) const {
  if (const auto* const found = value(key)) return *found;
  throw Error(Code::kData, str(path.string(), ": no key ",
                               weights::in_quotes(key), ", expected ", expected,
                               weights::nearest_hint(metadata_by_key, key)));
}

void WeightFile::Impl::fail(std::string_view key,
                            const std::string& problem) const {
  throw Error(Code::kData, str(path.string(), ": key ", weights::in_quotes(key),
                               " ", problem));
}

namespace {

constexpr std::string_view kInteger = "an integer";
constexpr std::string_view kReal = "a number";
constexpr std::string_view kBoolean = "a bool";
constexpr std::string_view kText = "a text";
constexpr std::string_view kIntegers = "an array of integers";
constexpr std::string_view kReals = "an array of numbers";
constexpr std::string_view kBooleans = "an array of bools";
constexpr std::string_view kTexts = "an array of texts";

// Each function below takes apart a value of one kind; `fail(problem)` throws.

std::string not_a(const MetadataValue& value, std::string_view expected) {
  return str("is ", describe(value), ", expected ", expected);
}

bool holds_floats(const MetadataValue& value) {
  return value.type == ValueType::kF32 || value.type == ValueType::kF64;
}

template <class Fail>
std::vector<std::int64_t> to_integers(const MetadataValue& value,
                                      std::string_view expected, Fail fail) {
  std::vector<std::int64_t> result;
  const bool numbers =
      !holds_floats(value) && visit_numbers(value, [&](auto number) {
        if constexpr (std::same_as<decltype(number), std::uint64_t>) {
          if (number > std::numeric_limits<std::int64_t>::max()) {
            fail(str("holds ", number, ", expected less than 2^63"));
          }
        }
        result.push_back(static_cast<std::int64_t>(number));
      });
  if (!numbers) fail(not_a(value, expected));
  return result;
}

template <class Fail>
std::vector<double> to_reals(const MetadataValue& value,
                             std::string_view expected, Fail fail) {
  std::vector<double> result;
  const bool numbers = visit_numbers(value, [&](auto number) {
    result.push_back(static_cast<double>(number));
    if (!std::isfinite(result.back())) {
      fail("holds NaN or infinity, expected a finite number");
    }
  });
  if (!numbers) fail(not_a(value, expected));
  return result;
}

}  // namespace

std::vector<std::string_view> WeightFile::keys() const {
  std::vector<std::string_view> keys;
  keys.reserve(impl_->metadata.size());
  for (const auto& entry : impl_->metadata) keys.push_back(entry.key);
  return keys;
}

bool WeightFile::has(std::string_view key) const {
  return impl_->value(key) != nullptr;
}

bool WeightFile::is_array(std::string_view key) const {
  const auto* const value = impl_->value(key);
  return value != nullptr && value->is_array;
}

std::int64_t WeightFile::integer(std::string_view key) const {
  const auto& value = impl_->required(key, kInteger);
  const auto fail = [&](const std::string& text) { impl_->fail(key, text); };
  if (value.is_array) fail(not_a(value, kInteger));
  return to_integers(value, kInteger, fail).front();
}

double WeightFile::real(std::string_view key) const {
  const auto& value = impl_->required(key, kReal);
  const auto fail = [&](const std::string& text) { impl_->fail(key, text); };
  if (value.is_array) fail(not_a(value, kReal));
  return to_reals(value, kReal, fail).front();
}

bool WeightFile::boolean(std::string_view key) const {
  const auto& value = impl_->required(key, kBoolean);
  if (value.is_array || value.type != ValueType::kBool) {
    impl_->fail(key, not_a(value, kBoolean));
  }
  return std::to_integer<int>(value.bytes.front()) != 0;
}

std::string_view WeightFile::text(std::string_view key) const {
  const auto& value = impl_->required(key, kText);
  if (value.is_array || value.type != ValueType::kText) {
    impl_->fail(key, not_a(value, kText));
  }
  return {reinterpret_cast<const char*>(value.bytes.data()),
          value.bytes.size()};
}

std::vector<std::int64_t> WeightFile::integers(std::string_view key) const {
  const auto& value = impl_->required(key, kIntegers);
  const auto fail = [&](const std::string& text) { impl_->fail(key, text); };
  if (!value.is_array) fail(not_a(value, kIntegers));
  return to_integers(value, kIntegers, fail);
}

std::vector<bool> WeightFile::booleans(std::string_view key) const {
  const auto& value = impl_->required(key, kBooleans);
  if (!value.is_array || value.type != ValueType::kBool) {
    impl_->fail(key, not_a(value, kBooleans));
  }
  std::vector<bool> result;
  for (const auto byte : value.bytes) {
    result.push_back(std::to_integer<int>(byte) != 0);
  }
  return result;
}

std::vector<double> WeightFile::reals(std::string_view key) const {
  const auto& value = impl_->required(key, kReals);
  const auto fail = [&](const std::string& text) { impl_->fail(key, text); };
  if (!value.is_array) fail(not_a(value, kReals));
  return to_reals(value, kReals, fail);
}

std::vector<std::string_view> WeightFile::texts(std::string_view key) const {
  const auto& value = impl_->required(key, kTexts);
  if (!value.is_array || value.type != ValueType::kText) {
    impl_->fail(key, not_a(value, kTexts));
  }
  std::vector<std::string_view> texts;
  texts.reserve(value.count);
  weights::ByteReader reader(value.bytes, path().string(), value.bytes.size());
  for (std::uint64_t i = 0; i < value.count; ++i) {
    texts.push_back(reader.text("a text"));
  }
  return texts;
}

WeightFile::Maybe<std::int64_t> WeightFile::find_integer(
    std::string_view key) const {
  return has(key) ? Maybe<std::int64_t>(integer(key)) : std::nullopt;
}

WeightFile::Maybe<double> WeightFile::find_real(std::string_view key) const {
  return has(key) ? Maybe<double>(real(key)) : std::nullopt;
}

WeightFile::Maybe<bool> WeightFile::find_boolean(std::string_view key) const {
  return has(key) ? Maybe<bool>(boolean(key)) : std::nullopt;
}

WeightFile::Maybe<std::string_view> WeightFile::find_text(
    std::string_view key) const {
  return has(key) ? Maybe<std::string_view>(text(key)) : std::nullopt;
}

}  // namespace penstock
