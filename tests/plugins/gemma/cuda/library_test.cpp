// The library with the CUDA half of the engine: what is said where it is not
// there, cannot be used, or sees no card.
#include "gemma/cuda/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "gemma/cuda/open.h"
#include "gemma/reference_dtype.h"
#include "penstock/error.h"
#include "tests/plugins/gemma/support.h"

namespace penstock::gemma::cuda {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

/// What opening a file says.
Error error_of(const fs::path& path) {
  try {
    (void)open_cuda_library(path);
  } catch (const Error& error) {
    return error;
  }
  return {Code::kInternal, "no error"};
}

/// As a driver tells of cards of these compute capabilities.
Gpus cards(const std::vector<int>& majors, int cuda) {
  Gpus out;
  out.cuda = cuda;
  for (const int major : majors) {
    out.all.emplace_back();
    out.all.back().name = "Fake";
    out.all.back().major = major;
  }
  return out;
}

TEST(CudaLibrary, IsSaidToBeMissingWithWhatToDo) {
  const Error error = error_of("/nowhere/libpenstock_gemma_cuda.so");
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("/nowhere/"), HasSubstr("nvcc"),
                                  HasSubstr("-DPENSTOCK_CUDA=AUTO")));
}

TEST(CudaLibrary, IsNoOtherFile) {
  const fs::path path = fs::path(::testing::TempDir()) / "no_library.so";
  std::ofstream(path) << "text";
  const Error error = error_of(path);
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_THAT(error.what(), HasSubstr("does not load"));
  fs::permissions(path, fs::perms::others_write, fs::perm_options::add);
  EXPECT_THAT(error_of(path).what(), HasSubstr("chmod o-w"));
  fs::remove(path);
}

TEST(CudaLibrary, IsLookedForAbovePlugins) {
  EXPECT_EQ(cuda_library_path().filename(), "libpenstock_gemma_cuda.so");
  EXPECT_TRUE(cuda_library_path().is_absolute());
}

#ifdef PENSTOCK_GEMMA_CUDA
TEST(CudaLibrary, OpensAndSaysWhyThereIsNoCard) {
  const CudaLibrary& library = open_cuda_library(PENSTOCK_GEMMA_CUDA);
  std::cout << "code for " << library.architectures << "\n";
  const Kernels& kernels =
      library.kernels(NumberType::kBf16, /*has_groups=*/true);
  EXPECT_EQ(kernels.type, NumberType::kBf16);
  EXPECT_NE(kernels.qkv.device, nullptr);
  EXPECT_NE(kernels.head.device, nullptr);
  try {
    const auto api = library.open(0);
    std::cout << "a card: " << api->facts().name << "\n";
    EXPECT_GT(api->memory().free, 0);
  } catch (const Error& error) {
    std::cout << error.what() << "\n";
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_THAT(error.what(),
                AllOf(AnyOf(HasSubstr("cudaErrorInsufficientDriver (35)"),
                            HasSubstr("cudaErrorNoDevice (100)")),
                      HasSubstr("use --device cpu")));
  }
}
#else
TEST(CudaLibrary, OpensAndSaysWhyThereIsNoCard) {
  GTEST_SKIP() << "this build has no nvcc";
}
#endif

/// One of CUDA 12.8, on a driver that is R525 or newer.
TEST(CudaLibrary, HasStepsByOneKernelForNewerDriversThanOthers) {
  CudaLibrary library;
  library.architectures = "80, 90";
  library.runtime = 12080;
  library.kernels = simulated_kernels;
  Gpus gpus = cards({9}, 12000);
  EXPECT_EQ(why_no_card(library, gpus, 0), "");
  EXPECT_THAT(
      why_no_card(library, gpus, 0, StepWay::kPersistent),
      AllOf(HasSubstr("the driver runs CUDA 12.0 at most"), HasSubstr("R530")));
  gpus.cuda = 12010;
  EXPECT_EQ(why_no_card(library, gpus, 0, StepWay::kPersistent), "");
}

/// Of the engine of ATen operations.
TEST(ReferenceDtype, IsBf16WhereTheCardHasIt) {
  const Gpus gpus = cards({9, 7}, 13000);
  const auto type = [&](Dtype dtype, int index) {
    const at::Device card(at::kCUDA, static_cast<at::DeviceIndex>(index));
    return reference_dtype(dtype, card, has_bf16(gpus, card));
  };
  EXPECT_EQ(type(Dtype::kAuto, 0), at::kBFloat16);
  EXPECT_EQ(type(Dtype::kAuto, 1), at::kFloat);
  EXPECT_EQ(type(Dtype::kAuto, 2), at::kFloat) << "nobody knows it";
  EXPECT_EQ(type(Dtype::kBf16, 1), at::kBFloat16) << "who asks for it gets it";
  EXPECT_EQ(type(Dtype::kFp32, 0), at::kFloat);
  EXPECT_TRUE(has_bf16(gpus, at::Device(at::kCUDA))) << "the first";
  EXPECT_FALSE(has_bf16(Gpus(), at::Device(at::kCUDA)));
}

TEST(CudaDtype, IsBf16WhereTheCardHasIt) {
  const Checkpoint plain(tiny("tiny.gguf"));
  const auto type = [&](Dtype dtype, bool has_bf16) {
    const WeightChoice choice = weight_choice(plain, dtype, has_bf16);
    EXPECT_FALSE(choice.keeps_codes);
    return choice.type;
  };
  EXPECT_EQ(type(Dtype::kAuto, true), NumberType::kBf16);
  EXPECT_EQ(type(Dtype::kAuto, false), NumberType::kF32);
  EXPECT_EQ(type(Dtype::kFp32, true), NumberType::kF32);
  EXPECT_EQ(type(Dtype::kBf16, false), NumberType::kBf16);
  EXPECT_THROW((void)type(Dtype::kInt8, true), Error);
}

TEST(CudaEngineFor, SaysWhatItDoesNotDo) {
  Config config;
  config.hidden = 640;
  config.heads = 4;
  config.kv_heads = 1;
  config.head_dim = 256;
  config.ffn = 2048;
  EXPECT_EQ(why_not(config, Dtype::kAuto, Dtype::kAuto), "");
  EXPECT_EQ(why_not(config, Dtype::kBf16, Dtype::kBf16), "");
  EXPECT_EQ(why_not(config, Dtype::kInt8, Dtype::kAuto), "");
  EXPECT_EQ(why_not(config, Dtype::kInt8, Dtype::kBf16), "");
  EXPECT_THAT(why_not(config, Dtype::kInt8, Dtype::kInt8),
              HasSubstr("kv_dtype"));
  EXPECT_THAT(why_not(config, Dtype::kBf16, Dtype::kInt8),
              HasSubstr("kv_dtype"));
  config.head_dim = 20;
  EXPECT_THAT(why_not(config, Dtype::kAuto, Dtype::kAuto),
              HasSubstr("head_dim"));
}

}  // namespace
}  // namespace penstock::gemma::cuda
