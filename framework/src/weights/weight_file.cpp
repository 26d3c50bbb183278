#include <algorithm>
#include <utility>

#include "penstock/error.h"
#include "penstock/weights.h"
#include "weights/byte_reader.h"
#include "weights/weight_file_impl.h"

namespace penstock {

namespace {

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const auto size : shape) {
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  }
  return text + "]";
}

}  // namespace

WeightFile WeightFile::open(const std::filesystem::path& path) {
  return WeightFile(std::make_unique<Impl>(path));
}

WeightFile::WeightFile(std::unique_ptr<const Impl> impl)
    : impl_(std::move(impl)) {}
WeightFile::WeightFile(WeightFile&& other) noexcept = default;
WeightFile& WeightFile::operator=(WeightFile&& other) noexcept = default;
WeightFile::~WeightFile() = default;

const std::filesystem::path& WeightFile::path() const { return impl_->path; }

const std::string& WeightFile::format() const { return impl_->format; }

std::span<const WeightTensor> WeightFile::tensors() const {
  return impl_->tensors;
}

std::optional<WeightTensor> WeightFile::find(std::string_view name) const {
  const auto found = impl_->tensors_by_name.find(name);
  if (found == impl_->tensors_by_name.end()) return std::nullopt;
  return impl_->tensors[found->second];
}

std::vector<std::string_view> WeightFile::names() const {
  std::vector<std::string_view> all;
  for (const auto& tensor : impl_->tensors) all.emplace_back(tensor.name);
  for (const auto& other : impl_->others) all.emplace_back(other.name);
  return all;
}

bool WeightFile::is_named(std::string_view name) const {
  const auto all = names();
  return impl_->missing.contains(name) ||
         std::find(all.begin(), all.end(), name) != all.end();
}

const WeightTensor& WeightFile::at(std::string_view name) const {
  const auto found = impl_->tensors_by_name.find(name);
  if (found != impl_->tensors_by_name.end()) {
    return impl_->tensors[found->second];
  }
  for (const auto& other : impl_->others) {
    if (other.name != name) continue;
    throw Error(Code::kData,
                str(path().string(), ": tensor ", weights::in_quotes(name),
                    " holds ", other.type,
                    ", expected F32, F16 or BF16; convert the model to one of "
                    "these"));
  }
  const auto missing = impl_->missing.find(name);
  if (missing != impl_->missing.end()) throw Error(missing->second);
  throw Error(Code::kData,
              str(path().string(), ": no tensor ", weights::in_quotes(name),
                  " among its ", impl_->tensors.size(),
                  weights::nearest_hint(impl_->tensors_by_name, name)));
}

const WeightTensor& WeightFile::at(
    std::string_view name,
    const std::vector<std::int64_t>& expected_shape) const {
  const auto& tensor = at(name);
  if (tensor.shape != expected_shape) {
    throw Error(Code::kData,
                str(path().string(), ": tensor ", weights::in_quotes(name),
                    " has shape ", shape_text(tensor.shape), ", expected ",
                    shape_text(expected_shape)));
  }
  return tensor;
}

}  // namespace penstock
