#include "lib/kernels/packed.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "lib/kernels/half.h"
#include "penstock/error.h"
#include "penstock/parallel.h"

namespace penstock::kernels {
namespace {

constexpr std::size_t kVectors = 8;  ///< vectors of a block, 4 codes a lane

/// Sizes of a block's parts in a panel; Coding in coded.inl.h reads them.
struct Layout {
  std::int64_t planes = 0;  ///< planes of bits beyond the nibble
  bool is_bytes = false;
  std::int64_t groups = 1;  ///< scales of a block
  std::int64_t number = 2;  ///< bytes of a scale
  bool has_minimum = false;

  explicit Layout(const WeightCoding& coding)
      : planes(coding.bits == 8 ? 0 : std::max(0, coding.bits - 4)),
        is_bytes(coding.bits == 8),
        groups(kBlock / coding.group),
        number(coding.is_half ? 2 : 4),
        has_minimum(coding.has_minimum) {}

  [[nodiscard]] std::int64_t code_bytes() const {
    return is_bytes ? 512 : 256 + 64 * planes;
  }
  [[nodiscard]] std::int64_t scale_bytes() const {
    return groups * number * kPanel;
  }
  [[nodiscard]] std::int64_t block_bytes() const {
    return code_bytes() + scale_bytes() * (has_minimum ? 2 : 1);
  }
};

PackedType kind_of(const WeightCoding& c) {
  if (c.bits == 8) return PackedType::kCodes8;
  if (c.group == 16) {
    if (c.has_minimum) return PackedType::kFine4Minimum;
    return c.bits > 4 ? PackedType::kFine6 : PackedType::kFine4;
  }
  if (!c.is_half)
    return c.bits == 4 ? PackedType::kWide4Minimum : PackedType::kWide5Minimum;
  if (c.has_minimum) {
    return c.bits == 4 ? PackedType::kCodes4Minimum
                       : PackedType::kCodes5Minimum;
  }
  return c.bits == 4 ? PackedType::kCodes4 : PackedType::kCodes5;
}

/// Packs panels of one quantised tensor; each thread has its own packer.
class CodePacker {
 public:
  CodePacker(const WeightTensor& tensor, const WeightCoding& coding)
      : tensor_(tensor),
        layout_(coding),
        columns_(tensor.columns()),
        blocks_(columns_ / kBlock),
        codes_(static_cast<std::size_t>(kPanel * columns_)),
        scales_(static_cast<std::size_t>(kPanel * blocks_ * layout_.groups)),
        minimums_(scales_.size()) {}

  void pack(std::int64_t panel, std::uint8_t* out) {
    const std::int64_t begin = panel * kPanel;
    const std::int64_t end = std::min(begin + kPanel, tensor_.rows());
    const auto rows = static_cast<std::size_t>(end - begin);
    const std::size_t groups = scales_.size() / kPanel;
    if (rows < kPanel) {  // last panel: missing rows get scale 0
      std::fill(scales_.begin(), scales_.end(), 0.0F);
      std::fill(minimums_.begin(), minimums_.end(), 0.0F);
    }
    unpack(tensor_, begin, end,
           {.codes = {codes_.data(), rows * static_cast<std::size_t>(columns_)},
            .scales = {scales_.data(), rows * groups},
            .minimums = {minimums_.data(), rows * groups}});
    for (std::int64_t b = 0; b < blocks_; ++b) {
      pack_codes(b, out + b * layout_.code_bytes());
    }
    out += blocks_ * layout_.code_bytes();
    pack_numbers(scales_, out);
    out += blocks_ * layout_.scale_bytes();
    if (layout_.has_minimum) pack_numbers(minimums_, out);
  }

 private:
  void pack_codes(std::int64_t block, std::uint8_t* out) const {
    for (std::size_t lane = 0; lane < kPanel; ++lane) {
      const std::uint8_t* from = codes_.data() +
                                 static_cast<std::int64_t>(lane) * columns_ +
                                 block * kBlock;
      if (layout_.is_bytes) {
        for (std::size_t v = 0; v < kVectors; ++v) {
          std::memcpy(out + 64 * v + 4 * lane, from + 4 * v, 4);
        }
        continue;
      }
      for (std::size_t i = 0; i < 16; ++i) {
        out[64 * (i / 4) + 4 * lane + i % 4] = static_cast<std::uint8_t>(
            (from[i] & 15U) | (from[i + 16] & 15U) << 4U);
      }
      for (std::int64_t plane = 0; plane < layout_.planes; ++plane) {
        pack_plane(from, static_cast<unsigned>(4 + plane), lane,
                   out + 256 + 64 * plane);
      }
    }
  }

  /// Packs bit `bit` of each code: 8 bytes a vector, 4 bits a lane.
  static void pack_plane(const std::uint8_t* codes, unsigned bit,
                         std::size_t lane,
                         std::uint8_t* out) {  // NOLINT(*-non-const-parameter)
    for (std::size_t v = 0; v < kVectors; ++v) {
      unsigned four = 0;
      for (std::size_t j = 0; j < 4; ++j) {
        four |= (codes[4 * v + j] >> bit & 1U) << j;
      }
      std::uint8_t& byte = out[8 * v + lane / 2];
      byte = static_cast<std::uint8_t>(byte | four << (lane % 2 * 4));
    }
  }

  void pack_numbers(const std::vector<float>& numbers,
                    std::uint8_t* out) const {
    const std::size_t groups = numbers.size() / kPanel;
    for (std::size_t g = 0; g < groups; ++g) {
      for (std::size_t lane = 0; lane < kPanel; ++lane) {
        const float number = numbers[lane * groups + g];
        if (layout_.number == 4) {
          std::memcpy(out + 4 * (g * kPanel + lane), &number, 4);
        } else {
          const std::uint16_t half = float_to_half(number);
          std::memcpy(out + 2 * (g * kPanel + lane), &half, 2);
        }
      }
    }
  }

  const WeightTensor& tensor_;
  Layout layout_;
  std::int64_t columns_, blocks_;
  std::vector<std::uint8_t> codes_;
  std::vector<float> scales_, minimums_;
};

void pack_codes(const WeightTensor& tensor, const WeightCoding& coding,
                const Panels& panels,
                std::uint8_t* out) {  // NOLINT(*-non-const-parameter)
  parallel_for(panels.panels(), 16, [&](std::int64_t begin, std::int64_t end) {
    CodePacker packer(tensor, coding);
    for (std::int64_t p = begin; p < end; ++p) {
      packer.pack(p, out + p * panels.panel_bytes);
    }
  });
}

/// Packs floats or bfloat16, kTogether neighbouring numbers
/// of a row in its lane.
template <class Number, std::size_t kTogether, class Read>
void pack_numbers(const WeightTensor& tensor, const Panels& panels,
                  std::uint8_t* out, const Read& read) {
  const auto columns = static_cast<std::size_t>(panels.columns);
  parallel_for(panels.panels(), 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Number> row(columns);
    for (std::int64_t r = begin * kPanel;
         r < std::min(end * kPanel, tensor.rows()); ++r) {
      read(tensor, r, r + 1, row);
      auto* to =
          reinterpret_cast<Number*>(out + r / kPanel * panels.panel_bytes);
      const auto lane = static_cast<std::size_t>(r % kPanel);
      for (std::size_t k = 0; k < columns; k += kTogether) {
        std::memcpy(to + k * kPanel + lane * kTogether, row.data() + k,
                    kTogether * sizeof(Number));
      }
    }
  });
}

PackedType plain_kind(const WeightTensor& tensor, ComputeType mode) {
  if (mode == ComputeType::kBf16) return PackedType::kBf16;
  return tensor.type == WeightType::kBF16 ? PackedType::kBf16ByF32
                                          : PackedType::kF32;
}

Panels plan(const WeightTensor& tensor, ComputeType mode) {
  Panels panels;
  panels.rows = tensor.rows();
  panels.columns = tensor.columns();
  const auto coding = weight_coding(tensor.type);
  if (mode == ComputeType::kInt8) {
    if (!coding) {
      throw Error(Code::kInternal, str(tensor.name, " is not quantised"));
    }
    panels.kind = kind_of(*coding);
    panels.panel_bytes =
        Layout(*coding).block_bytes() * (panels.columns / kBlock);
  } else {
    panels.kind = plain_kind(tensor, mode);
    const std::int64_t number = panels.kind == PackedType::kF32 ? 4 : 2;
    panels.panel_bytes = panels.columns * kPanel * number;
  }
  return panels;
}

}  // namespace

std::int64_t PackedMatrix::bytes(const WeightTensor& tensor, ComputeType mode) {
  const Panels panels = plan(tensor, mode);
  return panels.panels() * panels.panel_bytes;
}

PackedMatrix::PackedMatrix(const WeightTensor& tensor, ComputeType mode)
    : panels_(plan(tensor, mode)),
      buffer_(
          static_cast<std::size_t>(panels_.panels() * panels_.panel_bytes)) {
  panels_.data = buffer_.data();
  if (mode == ComputeType::kInt8) {
    pack_codes(tensor, *weight_coding(tensor.type), panels_, buffer_.data());
  } else if (panels_.kind == PackedType::kF32) {
    pack_numbers<float, 1>(tensor, panels_, buffer_.data(), dequantize);
  } else {
    pack_numbers<std::uint16_t, 2>(tensor, panels_, buffer_.data(),
                                   dequantize_bf16);
  }
}

void discard_pages(const WeightTensor& tensor) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(tensor.data.data());
  const std::uintptr_t first = (begin + page - 1) / page * page;
  const std::uintptr_t last = (begin + tensor.data.size()) / page * page;
  if (last > first) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): rounded to a page
    madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  }
}

}  // namespace penstock::kernels
