#include "penstock/testing/golden.h"

#include <ATen/ops/empty.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

#include "penstock/error.h"
#include "penstock/weights.h"

namespace penstock::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShownOfALine = 120;

std::optional<std::string> bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

/// The line that begins at `at`, in quotes; what follows its end is no part.
std::string line_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) return "the end";
  const std::string_view line = text.substr(at, text.find('\n', at) - at);
  const bool is_long = line.size() > kShownOfALine;
  return str('"', line.substr(0, kShownOfALine), is_long ? "..." : "", '"');
}

std::string first_difference(std::string_view got, std::string_view wanted) {
  const auto [one, other] =
      std::mismatch(got.begin(), got.end(), wanted.begin(), wanted.end());
  const auto same = static_cast<std::size_t>(one - got.begin());
  const auto lines = std::count(got.begin(), one, '\n');
  const std::size_t before = got.substr(0, same).rfind('\n');
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  return str("line ", lines + 1, ", character ", same - begin + 1, ": got ",
             line_at(got, begin), ", wanted ", line_at(wanted, begin));
}

/// Keeps what was got, and says how to take it.
std::string kept(const fs::path& file, std::string_view got) {
  const fs::path place = fs::temp_directory_path() /
                         str("got-", ::getpid(), "-", file.filename().string());
  std::ofstream(place, std::ios::binary) << got;
  return str("\nif that is right: cp '", place.string(), "' '",
             fs::absolute(file).string(), "'");
}

}  // namespace

std::string golden_text(const fs::path& file, std::string_view got) {
  const auto wanted = bytes_of(file);
  if (!wanted) {
    return str("there is no golden file '", file.string(), "'",
               kept(file, got));
  }
  if (got == *wanted) return "";
  return str("not as '", file.string(), "': ", first_difference(got, *wanted),
             kept(file, got));
}

std::string golden_tensor(const fs::path& file, const std::string& name,
                          const at::Tensor& got, const Rounding& rounding) {
  try {
    const auto opened = WeightFile::open(file);
    const WeightTensor& wanted = opened.at(name);
    auto numbers = at::empty(wanted.shape, at::kFloat);
    dequantize(wanted, 0, wanted.rows(),
               {numbers.mutable_data_ptr<float>(),
                static_cast<std::size_t>(numbers.numel())});
    const at::Tensor given =
        got.is_floating_point() ? got.cpu() : got.cpu().to(at::kFloat);
    const std::string problem = difference(given, numbers, rounding);
    if (problem.empty()) return "";
    return str("'", name, "' is not as in '", file.string(), "': ", problem);
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace penstock::testing
