#include <utility>

#include "byte_reader.h"
#include "gguf.h"
#include "penstock/error.h"
#include "penstock/weights.h"
#include "weight_file_impl.h"

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
  auto impl = std::make_unique<Impl>(path);
  auto parsed = weights::parse_gguf(impl->bytes.bytes(), path.string());
  impl->format = str("GGUF ", parsed.version);
  impl->metadata = std::move(parsed.metadata);
  impl->tensors = std::move(parsed.tensors);
  for (std::size_t i = 0; i < impl->metadata.size(); ++i) {
    impl->metadata_by_key.emplace(impl->metadata[i].key, i);
  }
  for (std::size_t i = 0; i < impl->tensors.size(); ++i) {
    impl->tensors_by_name.emplace(impl->tensors[i].name, i);
  }
  return WeightFile(std::move(impl));
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

const WeightTensor& WeightFile::at(std::string_view name) const {
  const auto found = impl_->tensors_by_name.find(name);
  if (found == impl_->tensors_by_name.end()) {
    throw Error(Code::kData,
                str(path().string(), ": no tensor ", weights::in_quotes(name),
                    " among its ", impl_->tensors.size(),
                    weights::nearest_hint(impl_->tensors_by_name, name)));
  }
  return impl_->tensors[found->second];
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
