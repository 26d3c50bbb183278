// gpu_shapes ARCH: for each line "kernel registers static_shared barriers" of
// stdin a line "threads dynamic_shared blocks needed" of stdout: how Gemma 3
// 270M's launches of that kernel are shaped, as geometry.cpp has it; how many
// blocks of it a processor of that architecture holds at once; and how many it
// must hold. A kernel with several shapes has several numbers, as 128/256.
//
// A processor must hold what makes a decoding step of one row's blocks all run
// at once: the kernel `step` depends on it, the others are planned for it.
//
// Compiled and run by gpu_kernels. Blocks are what NVIDIA's own calculator
// says.
#include <cuda_occupancy.h>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gemma/cuda/kernels.h"
#include "gemma/cuda/shapes.h"

namespace penstock::gemma::cuda {
namespace {

/// CUDA C++ Programming Guide 13.0, "Technical Specifications per Compute
/// Capability"; processors of the card that stands for it.
struct Card {
  int arch, processors, threads, shared_kib;
};
constexpr Card kCards[] = {{80, 108, 2048, 164},    // A100
                           {86, 84, 1536, 100},     // RTX 3090
                           {89, 128, 1536, 100},    // RTX 4090
                           {90, 132, 2048, 228},    // H100
                           {100, 148, 2048, 228},   // B200
                           {120, 170, 1536, 100}};  // RTX 5090
constexpr int kRegisters = 65536;
constexpr int kReserved = 1024;  // bytes of shared memory that a block loses

Card card_of(int arch) {
  for (const Card& card : kCards) {
    if (card.arch == arch) return card;
  }
  throw std::runtime_error("no limits known of sm_" + std::to_string(arch) +
                           "; add them to tools/checks/gpu_shapes.cpp");
}

struct Compiled {
  int registers = 0, shared = 0, barriers = 0;
};

int blocks_at_once(const Card& card, const Compiled& code,
                   const Geometry& shape) {
  cudaOccDeviceProp device;
  device.computeMajor = card.arch / 10;
  device.computeMinor = card.arch % 10;
  device.maxThreadsPerBlock = 1024;
  device.maxThreadsPerMultiprocessor = card.threads;
  device.regsPerBlock = device.regsPerMultiprocessor = kRegisters;
  device.warpSize = kWarpThreads;
  device.sharedMemPerMultiprocessor = static_cast<std::size_t>(card.shared_kib)
                                      << 10U;
  device.sharedMemPerBlock = std::size_t{48} << 10U;
  device.sharedMemPerBlockOptin = device.sharedMemPerMultiprocessor - kReserved;
  device.reservedSharedMemPerBlock = kReserved;
  device.numSms = card.processors;
  cudaOccFuncAttributes function;
  function.maxThreadsPerBlock = 1024;
  function.numRegs = code.registers;
  function.sharedSizeBytes = static_cast<std::size_t>(code.shared);
  function.numBlockBarriers = code.barriers;
  function.shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN;
  function.maxDynamicSharedSizeBytes = device.sharedMemPerBlockOptin;
  const cudaOccDeviceState state;
  cudaOccResult result;
  const cudaOccError error = cudaOccMaxActiveBlocksPerMultiprocessor(
      &result, &device, &function, &state, static_cast<int>(shape.block.x),
      shape.shared_bytes);
  if (error != CUDA_OCC_SUCCESS) {
    throw std::runtime_error("cuda_occupancy.h: error " +
                             std::to_string(error));
  }
  return result.activeBlocksPerMultiprocessor;
}

struct Shape {
  Geometry launch;
  int needed = 1;
};

/// Of Gemma 3 270M; a row that sees a window of keys.
constexpr Sizes k270m{
    .hidden = 640, .heads = 4, .kv_heads = 1, .head_dim = 256, .ffn = 2048};
constexpr int kVocab = 262144;
constexpr int kKeys = 512;
constexpr int kManyRows = 2048;

class Shapes {
 public:
  explicit Shapes(const Card& card) : card_(card) {
    for (const NumberType type : {NumberType::kF32, NumberType::kBf16}) {
      const bool is_bf16 = type == NumberType::kBf16;
      const std::string own = is_bf16 ? "_bf16" : "_f32";
      add_weights(own, type);
      add("attention" + own, geometry(attention(), type));
      add("step" + own, step(type));
      if (!is_bf16) continue;
      for (const char* codes : {"_int8", "_int4"}) add_weights(codes, type);
      for (const char* each : {own.c_str(), "_int8", "_int4"}) add_tiles(each);
      add_many(own);
      add_groups();
      add_screened(own);
    }
    add("select", geometry(SelectParams{.rows = 1}));
    add("draw", geometry(DrawParams{.rows = 1}));
  }

  [[nodiscard]] const std::vector<Shape>& of(const std::string& kernel) const {
    const auto found = all_.find(kernel);
    if (found != all_.end()) return found->second;
    throw std::runtime_error("no shape of kernel " + kernel +
                             "; add it to tools/checks/gpu_shapes.cpp");
  }

 private:
  /// Of a step of one row: all of its blocks at once.
  void add(const std::string& kernel, const Geometry& launch) {
    const auto blocks = static_cast<int>(launch.grid.count());
    all_[kernel].push_back(
        {launch, (blocks + card_.processors - 1) / card_.processors});
  }
  /// Of a step of many rows, whose blocks run one after another.
  void add_wide(const std::string& kernel, const Geometry& launch) {
    all_[kernel].push_back({launch, 1});
  }
  void add_weights(const std::string& type, NumberType number) {
    add("embed" + type, geometry(EmbedParams{.rows = 1}));
    add("qkv" + type,
        geometry(QkvParams{.in = row(), .place = place(1)}, number));
    add("product_rows" + type,
        rows_geometry({.rows = 1, .outputs = i32(k270m.hidden)}));
    add("gate_up" + type,
        geometry(GateUpParams{.in = row(), .ffn = i32(k270m.ffn)}, number));
    add("head" + type, geometry(head(number, kHeadBlocks), number));
  }
  void add_screened(const std::string& type) {
    const ScreenedParams screened{.head = head(NumberType::kBf16, kHeadBlocks),
                                  .codes = {}};
    add("screen", screen_geometry(screened));
    add("refine" + type, refine_geometry(screened));
  }
  void add_tiles(const std::string& type) {
    for (const TileSize tiles :
         {TileSize::kSmall, TileSize::kLarge, TileSize::kHuge}) {
      add_wide("product" + type, tiled_geometry({.rows = kManyRows,
                                                 .outputs = i32(k270m.hidden),
                                                 .tiles = tiles}));
      add_wide("gated_product" + type,
               geometry(GatedProductParams{
                   .rows = kManyRows, .ffn = i32(k270m.ffn), .tiles = tiles}));
    }
  }
  void add_many(const std::string& type) {
    NormParams norm;
    norm.in.rows = kManyRows;
    add_wide("norm" + type, geometry(norm));
    add_wide("place" + type, geometry(place(kManyRows)));
    add_wide("attention_tile",
             geometry(AttentionTileParams{.cache = {},
                                          .count = 1,
                                          .heads = i32(k270m.heads),
                                          .kv_heads = i32(k270m.kv_heads),
                                          .head_dim = i32(k270m.head_dim)}));
    add_wide("scan", geometry(ScanParams{
                         .choice = head(NumberType::kBf16, kHeadBlocks).choice,
                         .rows = 64}));
  }

  void add_groups() {
    for (const TileSize tiles :
         {TileSize::kNarrowGroups, TileSize::kMiddleGroups,
          TileSize::kWideGroups}) {
      add_wide("group_product", tiled_geometry({.rows = kManyRows,
                                                .outputs = i32(k270m.hidden),
                                                .tiles = tiles}));
      add_wide("group_gated",
               geometry(GatedProductParams{
                   .rows = kManyRows, .ffn = i32(k270m.ffn), .tiles = tiles}));
    }
    for (const int groups : {1, 2}) {
      add_wide("group_attention", group_geometry(AttentionTileParams{
                                      .cache = {},
                                      .count = 1,
                                      .heads = i32(k270m.heads),
                                      .kv_heads = i32(k270m.kv_heads),
                                      .head_dim = i32(k270m.head_dim),
                                      .groups = groups}));
    }
  }

  static std::int32_t i32(std::int64_t number) {
    return static_cast<std::int32_t>(number);
  }
  static Residual row() { return {.rows = 1, .hidden = i32(k270m.hidden)}; }
  static PlaceParams place(int rows) {
    return {.cache = {},
            .rows = rows,
            .heads = i32(k270m.heads),
            .kv_heads = i32(k270m.kv_heads),
            .head_dim = i32(k270m.head_dim)};
  }
  [[nodiscard]] AttentionParams attention() const {
    const int kv_heads = i32(k270m.kv_heads);
    return {.cache = {},
            .rows = 1,
            .heads = i32(k270m.heads),
            .kv_heads = kv_heads,
            .head_dim = i32(k270m.head_dim),
            .splits = attention_splits(1, kv_heads, kKeys, card_.processors)};
  }
  [[nodiscard]] HeadParams head(NumberType type, int blocks) const {
    HeadParams out{.in = row(), .choice = {}};
    out.choice.vocab = kVocab;
    out.choice.blocks =
        head_blocks(kVocab, i32(k270m.hidden), type, blocks * card_.processors);
    return out;
  }
  [[nodiscard]] Geometry step(NumberType type) const {
    const auto params = std::make_unique<StepParams>();
    params->ends.head = head(type, kStepBlocks);
    params->layer[0].attention = attention();
    return geometry(*params, type, kStepBlocks * card_.processors);
  }

  Card card_;
  std::map<std::string, std::vector<Shape>> all_;
};

/// Equal numbers once, others as 128/256.
std::string joined(const std::vector<Shape>& shapes,
                   const std::function<unsigned(const Shape&)>& number) {
  std::string out;
  bool is_same = true;
  for (const Shape& each : shapes) {
    out += (out.empty() ? "" : "/") + std::to_string(number(each));
    is_same &= number(each) == number(shapes[0]);
  }
  return is_same ? std::to_string(number(shapes[0])) : out;
}

void print(int arch) {
  const Card card = card_of(arch);
  const Shapes all(card);
  std::string kernel;
  Compiled code;
  while (std::cin >> kernel >> code.registers >> code.shared >> code.barriers) {
    const std::vector<Shape>& shapes = all.of(kernel);
    std::cout << joined(shapes, [](const Shape& s) {
      return s.launch.block.x;
    }) << ' ' << joined(shapes, [](const Shape& s) {
      return s.launch.shared_bytes;
    }) << ' ' << joined(shapes, [&](const Shape& s) {
      return static_cast<unsigned>(blocks_at_once(card, code, s.launch));
    }) << ' ' << joined(shapes, [](const Shape& s) {
      return static_cast<unsigned>(s.needed);
    }) << '\n';
  }
}

}  // namespace
}  // namespace penstock::gemma::cuda

int main(int argc, char** argv) {
  try {
    if (argc != 2) throw std::runtime_error("usage: gpu_shapes ARCH");
    penstock::gemma::cuda::print(std::stoi(argv[1]));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "gpu_shapes: " << error.what() << '\n';
    return 1;
  }
}
