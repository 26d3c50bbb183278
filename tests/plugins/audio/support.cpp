#include "tests/plugins/audio/support.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <fstream>
#include <stdexcept>

namespace penstock::audio {
namespace {

std::string golden(const std::string& path) {
  return PENSTOCK_SOURCE_DIR "/tests/golden/" + path;
}

}  // namespace

nlohmann::json golden_json(const std::string& path) {
  std::ifstream in(golden(path));
  if (!in) throw std::runtime_error("no golden " + path);
  return nlohmann::json::parse(in);
}

at::Tensor golden_floats(const std::string& path,
                         const std::vector<std::int64_t>& shape) {
  std::ifstream in(golden(path), std::ios::binary);
  auto tensor = at::empty(shape, at::kFloat);
  in.read(static_cast<char*>(tensor.mutable_data_ptr()),
          static_cast<std::streamsize>(tensor.nbytes()));
  if (!in) throw std::runtime_error("golden too short: " + path);
  return tensor;
}

std::vector<float> noise(std::int64_t count, std::uint32_t seed) {
  std::vector<float> out;
  for (std::int64_t i = 0; i < count; ++i) {
    seed = 1664525U * seed + 1013904223U;
    out.push_back(static_cast<float>(
        0.5 * (static_cast<double>(seed >> 8U) / (1 << 23) - 1)));
  }
  return out;
}

at::Tensor to_tensor(const std::vector<float>& values) {
  auto tensor =
      at::empty({static_cast<std::int64_t>(values.size())}, at::kFloat);
  std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<float>());
  return tensor;
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) throw std::runtime_error("shapes differ");
  return (a - b).abs().max().item<double>();
}

}  // namespace penstock::audio
