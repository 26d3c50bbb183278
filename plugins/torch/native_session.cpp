// AOTInductor's packages: a library of native code, compiled for one kind of
// CPU, that looks at nothing it is given. Binder has looked at all of it.
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <string_view>

#include "penstock/error.h"
#include "torch/quiet.h"
#include "torch/session.h"

namespace penstock::pt2 {
namespace {

struct Needs {
  std::string_view isa;
  std::array<std::string_view, 4> flags;  ///< of /proc/cpuinfo; "": none
};
constexpr std::array<Needs, 3> kIsas{
    {{"AVX512", {"avx512f", "avx512bw", "avx512dq", "avx512vl"}},
     {"AVX2", {"avx2", "fma", "", ""}},
     {"AMX", {"amx_tile", "amx_int8", "", ""}}}};

std::string metadata_of(const ModelHead& head, std::string_view key) {
  for (const auto& [name, value] : head.metadata) {
    if (name == key) return value;
  }
  return "";
}

/// Of the first processor, each with a space on both sides.
std::string cpu_flags() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("flags")) return line + " ";
  }
  return " ";
}

[[noreturn]] void refuse_cpu(const ModelHead& head, const std::string& wanted) {
  throw Error(Code::kUnavailable,
              str(head.path.string(), ": its code is for ", wanted,
                  ", which this machine has not; make the package on a machine "
                  "like this one"));
}

/// An instruction that the CPU lacks would end the process.
void check_cpu(const ModelHead& head) {
  const std::string device = metadata_of(head, "AOTI_DEVICE_KEY");
  if (!device.empty() && device != "cpu") refuse_cpu(head, device);
  const std::string flags = cpu_flags();
  std::istringstream words(metadata_of(head, "AOTI_CPU_ISA"));
  for (std::string word; words >> word;) {
    if (word == "INVALID_VEC_ISA") continue;  // no vectors
    const auto known = std::find_if(
        kIsas.begin(), kIsas.end(),
        [&](const Needs& each) { return word.starts_with(each.isa); });
    if (known == kIsas.end()) refuse_cpu(head, word);
    for (const std::string_view flag : known->flags) {
      if (flag.empty()) continue;
      if (flags.find(str(" ", flag, " ")) == flags.npos) refuse_cpu(head, word);
    }
  }
}

class NativeSession final : public Session {
 public:
  explicit NativeSession(const ModelHead& head)
      : head_(head), loader_(head.path.string(), "model") {}

  std::vector<at::Tensor> run(const std::vector<at::Tensor>& inputs) override {
    std::vector<c10::IValue> values;
    try {
      for (at::Tensor& made : loader_.run(copies(inputs))) {
        values.emplace_back(std::move(made));
      }
    } catch (const std::exception& error) {
      refuse(head_, "its native code failed", error);
    }
    if (values.size() != head_.outputs.size()) {
      throw Error(Code::kData,
                  str(head_.path.string(), ": its code gives ", values.size(),
                      " outputs, its ports say ", head_.outputs.size()));
    }
    return owned(values, inputs);
  }

 private:
  ModelHead head_;
  ::torch::inductor::AOTIModelPackageLoader loader_;
};

}  // namespace

std::unique_ptr<Session> open_native(const ModelHead& head) {
  check_cpu(head);
  const Quiet quiet;
  try {
    return std::make_unique<NativeSession>(head);
  } catch (const std::exception& error) {
    const bool wants_libtorch =
        std::string_view(error.what()).find("libtorch.so") !=
        std::string_view::npos;
    if (!wants_libtorch) refuse(head, "libtorch cannot load it", error);
    refuse(head,
           "make the package with inductor_configs={\"aot_inductor."
           "link_libtorch\": False}, since there is no libtorch.so here",
           error);
  }
}

}  // namespace penstock::pt2
