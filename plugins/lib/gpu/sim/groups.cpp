// SimBlock: products of warpgroups. They happen when they are waited for: what
// is written to their memory or sums before is an error, and what is read of
// the sums is NaN.
#include "lib/gpu/sim/groups.h"

#include <algorithm>
#include <bit>

#include "lib/gpu/sim/sim_block.h"

namespace penstock::gpu {
namespace {

/// A NaN that no sum is by itself.
constexpr std::uint32_t kUnderWay = 0x7fc0dead;
/// Where a card's shared memory begins for a block: the system has some.
constexpr std::uint32_t kSharedBegin = 1024;

bool is_under_way(const float* sums, int count) {
  return std::all_of(sums, sums + count, [](float x) {
    return std::bit_cast<std::uint32_t>(x) == kUnderWay;
  });
}

/// matrix-descriptor-encode() backwards.
std::uint32_t bytes_in(std::uint64_t bits, int first) {
  return static_cast<std::uint32_t>(bits >> first & 0x3fffU) << 4U;
}

}  // namespace

std::uint32_t GroupPlace::at(int r, int n) const {
  const auto row = static_cast<std::uint32_t>(r);
  const auto number = static_cast<std::uint32_t>(n);
  // Atoms of eight lines of 128 bytes. Lines go by outputs, with columns along
  // them; or, transposed, by columns, with outputs along them.
  const std::uint32_t linear =
      is_transposed ? start + row / 64 * leading + row % 64 * 2 +
                          number / 8 * stride + number % 8 * 128
                    : start + row / 8 * stride + row % 8 * 128 + number * 2;
  return linear ^ (linear >> 7U & 7U) << 4U;
}

std::uint32_t SimBlock::shared_address_of(const void* at) {
  const auto offset = static_cast<const std::byte*>(at) - shared_begin();
  if (offset % std::ptrdiff_t{kMatrixBytes} != 0) {
    fail("has a matrix from byte " + std::to_string(offset) +
         " of shared memory on, which is no multiple of 1024");
  }
  return kSharedBegin + static_cast<std::uint32_t>(offset);
}

void SimBlock::ask_group(const GroupCall& call, int line) {
  if (threads_ % kGroup != 0) fail("is in no whole warpgroup");
  self().group_call = call;
  wait(Wait::kWarpgroup, line);
}

/// Does what whole warpgroups ask for; whether there was one.
bool SimBlock::meet_groups() {
  bool has_met = false;
  for (int first = 0; first + kGroup <= threads_; first += kGroup) {
    if (meeting(first, kGroup) != Wait::kWarpgroup) continue;
    current_ = first;
    meet_group(groups_[static_cast<std::size_t>(first / kGroup)]);
    for (int i = first; i < first + kGroup; ++i) {
      state_[static_cast<std::size_t>(i)].wait = Wait::kNone;
    }
    has_met = true;
  }
  return has_met;
}

void SimBlock::meet_group(SimGroup& group) {
  const GroupCall& call = self().group_call;
  const int first = current_;
  for (; current_ < first + kGroup; ++current_) {
    if (!self().group_call.asks_as(call)) {
      fail("asks its warpgroup for another thing than its first thread");
    }
  }
  current_ = first;
  switch (call.kind) {
    case GroupCall::Kind::kOrder:
      group.is_ordered = true;
      for (int i = first; i < first + kGroup; ++i) thread_at(i).held.order();
      break;
    case GroupCall::Kind::kMultiply:
      begin_product(group);
      break;
    case GroupCall::Kind::kCommit:
      ++group.committed;
      break;
    case GroupCall::Kind::kWait:
      end_products(group, call.left);
      break;
  }
}

void SimBlock::begin_product(SimGroup& group) {
  GroupProduct product{.call = self().group_call, .group = group.committed};
  if (!group.is_ordered) {
    fail("multiplies without order_sums() behind what threads did with sums");
  }
  const int first = current_;
  for (int i = 0; i < kGroup; ++i) {
    current_ = first + i;
    const GroupCall& call = self().group_call;
    const auto at = static_cast<std::size_t>(i);
    product.sums[at] = call.sums;
    product.tiles[at] = call.tile;
    check_held(group, call);
    if (call.tile != nullptr) product.rows[at] = *call.tile;
    begin_sums(group, call);
  }
  current_ = first;
  for_matrix(product.call,
             [&](Region& region, std::byte* at) { begin_read(region, at); });
  group.products.push_back(product);
}

/// That neither threads nor the compiler change what a product uses behind
/// order_sums(). Products before it may have begun to write the sums.
void SimBlock::check_held(const SimGroup& group, const GroupCall& call) {
  const HeldNumbers& held = self().held;
  if (call.tile != nullptr && !held.has(call.tile)) {
    fail(
        "multiplies rows in registers that it did not hold() before "
        "order_sums()");
  }
  if (!held.is_as_held(call.tile)) {
    fail("changes rows in registers behind hold(), which products use");
  }
  if (group.sums.contains(call.sums)) return;
  if (call.adds && !held.has(call.sums)) {
    fail("adds to sums that it did not hold() before order_sums()");
  }
  if (!held.is_as_held(call.sums)) {
    fail("writes sums behind hold(), which products use");
  }
}

/// A thread's sums will be written: till then they are kUnderWay.
void SimBlock::begin_sums(SimGroup& group, const GroupCall& call) {
  const int count = call.outputs / 2;
  const auto known = group.sums.find(call.sums);
  const bool is_new = known == group.sums.end();
  if (!is_new && (known->second.size() != static_cast<std::size_t>(count) ||
                  !is_under_way(call.sums, count))) {
    fail("uses sums that a product under way writes");
  }
  if (is_new) {
    group.sums[call.sums].assign(call.sums, call.sums + count);
  }
  std::fill_n(call.sums, count, std::bit_cast<float>(kUnderWay));
}

void SimBlock::end_products(SimGroup& group, int left) {
  const auto is_over = [&](const GroupProduct& product) {
    return product.group < group.committed - left;
  };
  for (const GroupProduct& product : group.products) {
    if (is_over(product)) do_product(group, product);
  }
  std::erase_if(group.products, is_over);
  const int first = current_;
  for (auto at = group.sums.begin(); at != group.sums.end();) {
    const auto still = [&](const GroupProduct& product) {
      return std::find(product.sums.begin(), product.sums.end(), at->first) !=
             product.sums.end();
    };
    if (std::any_of(group.products.begin(), group.products.end(), still)) {
      ++at;
      continue;
    }
    if (!is_under_way(at->first, static_cast<int>(at->second.size()))) {
      fail("writes sums that a product under way writes");
    }
    std::copy(at->second.begin(), at->second.end(), at->first);
    at = group.sums.erase(at);
  }
  current_ = first;
  group.is_ordered = false;
  for (int i = first; i < first + kGroup; ++i) thread_at(i).held.forget();
}

/// Adds a product's sums, from what is in memory now.
void SimBlock::do_product(SimGroup& group, const GroupProduct& product) {
  const GroupCall& call = product.call;
  std::vector<float> numbers;
  for_matrix(call, [&](Region& region, std::byte* at) {
    end_read(region, at);
    Bf16 number;
    std::memcpy(&number, at, sizeof(number));
    numbers.push_back(to_float(number));
  });
  if (call.tile != nullptr) put_tiles(product, numbers);
  const float* const rows = numbers.data();
  const float* const outputs = rows + std::ptrdiff_t{kGroupRows} * 16;
  for (int t = 0; t < kGroup; ++t) {
    std::vector<float>& sums =
        group.sums[product.sums[static_cast<std::size_t>(t)]];
    for (int i = 0; i < call.outputs / 2; ++i) {
      const int row = t / kWarp * 16 + sum_row(t % kWarp, i % 8);
      const int output = i / 8 * 16 + sum_output(t % kWarp, i % 8);
      float& sum = sums[static_cast<std::size_t>(i)];
      if (!call.adds) sum = 0;
      for (int k = 0; k < 16; ++k) {
        sum += rows[row * 16 + k] * outputs[output * 16 + k];
      }
    }
  }
}

/// Rows that are in registers, before `numbers`.
void SimBlock::put_tiles(const GroupProduct& product,
                         std::vector<float>& numbers) {
  std::vector<float> rows(std::size_t{kGroupRows} * 16);
  for (int t = 0; t < kGroup; ++t) {
    const auto at = static_cast<std::size_t>(t);
    const TileA& tile = product.rows[at];
    if (std::memcmp(product.tiles[at], &tile, sizeof(tile)) != 0) {
      fail("changes rows that a product under way reads");
    }
    for (int i = 0; i < 8; ++i) {
      const int row = t / kWarp * 16 + t % kWarp / 4 + i / 2 % 2 * 8;
      const int k = t % 4 * 2 + i % 2 + i / 4 * 8;
      const std::uint32_t two = tile.at[i / 2];
      rows[static_cast<std::size_t>(row) * 16 + static_cast<std::size_t>(k)] =
          to_float(Bf16{static_cast<std::uint16_t>(two >> (i % 2 * 16))});
    }
  }
  numbers.insert(numbers.begin(), rows.begin(), rows.end());
}

/// Calls what(region, byte) for each number of the product's matrices.
template <class What>
void SimBlock::for_matrix(const GroupCall& call, What what) {
  if (call.tile == nullptr) {
    for_numbers(call.rows, kGroupRows, /*is_transposed=*/false, what);
  }
  for_numbers(call.matrix, call.outputs, call.is_transposed, what);
}

template <class What>
void SimBlock::for_numbers(std::uint64_t bits, int rows, bool is_transposed,
                           What what) {
  // A base that is not 0 is for matrices from no multiple of 1024 bytes on.
  if (bits >> 62U != 1 || (bits >> 49U & 7U) != 0) {
    fail(
        "has a matrix that is not turned by 128 bytes from a multiple of 1024 "
        "on, and others the simulator does not know");
  }
  const GroupPlace place{.start = bytes_in(bits, 0),
                         .leading = bytes_in(bits, 16),
                         .stride = bytes_in(bits, 32),
                         .is_transposed = is_transposed};
  for (int r = 0; r < rows; ++r) {
    for (int n = 0; n < 16; ++n) {
      const auto offset = static_cast<std::ptrdiff_t>(place.at(r, n)) -
                          std::ptrdiff_t{kSharedBegin};
      std::byte* const at = shared_begin() + offset;
      what(region_of_shared(at), at);
    }
  }
}

Region& SimBlock::region_of_shared(const std::byte* at) {
  const auto found =
      std::find_if(shared_.begin(), shared_.end(),
                   [&](const auto& each) { return each->holds(at, kGranule); });
  if (found != shared_.end()) return **found;
  fail("multiplies at byte " + std::to_string(at - shared_begin()) +
       " of shared memory, which is in no buffer");
}

void SimBlock::begin_read(Region& region, const std::byte* at) {
  Cell& cell = *region.cells_of(at);
  if (cell.written == 0) {
    fail_access(region, at, kGranule, "multiplies what nobody wrote");
  }
  if (cell.written == now_) {
    fail_access(region, at, kGranule,
                "multiplies what was written without a barrier between them");
  }
  if (state_[cell.writer].async_fences == cell.writer_fences) {
    fail_access(region, at, kGranule,
                "multiplies what was written without fence_async() behind it");
  }
  ++cell.async_reads;
  cell.read = now_;
  cell.reader = kManyThreads;
}

void SimBlock::end_read(Region& region, const std::byte* at) const {
  Cell& cell = *region.cells_of(at);
  --cell.async_reads;
  // Others of the warpgroup may not know yet that it is over.
  cell.read = now_;
  cell.reader = kManyThreads;
}

void SimBlock::check_products_ended() {
  const bool is_over =
      std::all_of(groups_.begin(), groups_.end(),
                  [](const SimGroup& group) { return group.products.empty(); });
  if (!is_over) fail("ends with products that it did not wait for");
}

}  // namespace penstock::gpu
