#include "gemma/cuda/pages.h"

#include <algorithm>
#include <numeric>

#include "penstock/error.h"

namespace penstock::gemma::cuda {
namespace {

constexpr std::int32_t kNoPage = -1;

std::int64_t pages_of(std::int64_t tokens) {
  return (tokens + kPageTokens - 1) / kPageTokens;
}

}  // namespace

PagePool::PagePool(std::int64_t pages)
    : users_(static_cast<std::size_t>(pages)),
      free_(static_cast<std::size_t>(pages)) {
  // The lowest is taken first.
  std::iota(free_.rbegin(), free_.rend(), 0);
}

std::int32_t PagePool::take() {
  if (free_.empty()) {
    throw Error(Code::kRetry,
                str("all ", users_.size(), " pages of ", kPageTokens,
                    " tokens of keys and values on the device are in use; "
                    "lower batch.max_sequences or the tokens of a request"));
  }
  const std::int32_t page = free_.back();
  free_.pop_back();
  users_[static_cast<std::size_t>(page)] = 1;
  return page;
}

void PagePool::share(std::int32_t page) {
  ++users_[static_cast<std::size_t>(page)];
}

void PagePool::drop(std::int32_t page) noexcept {
  // It had room for every page when it was made.
  if (--users_[static_cast<std::size_t>(page)] == 0) free_.push_back(page);
}

PageTables::PageTables(const Config& config, int slots, const PageCounts& pages,
                       std::int64_t slack)
    : window_(config.window),
      slack_(slack),
      width_(pages_of(config.context)),
      layers_(layers_of(config)),
      pools_{PagePool(pages[kFull]), PagePool(pages[kSliding])},
      slots_(static_cast<std::size_t>(slots)),
      table_(slots_.size() * kKinds * static_cast<std::size_t>(width_),
             kNoPage) {}

PageCounts PageTables::layers_of(const Config& config) {
  PageCounts counts{};
  for (std::int64_t i = 0; i < config.layers; ++i) {
    ++counts[config.is_sliding(i) ? kSliding : kFull];
  }
  return counts;
}

PageCounts PageTables::most_pages(const Config& config, std::int64_t slack,
                                  std::int64_t chunk) {
  const std::int64_t all = pages_of(config.context);
  // The window and the chunk may begin anywhere in a page.
  const std::int64_t seen = config.window - 1 + slack + chunk;
  const PageCounts layers = layers_of(config);
  return {layers[kFull] > 0 ? all : 0,
          layers[kSliding] > 0 ? std::min(all, seen / kPageTokens + 2) : 0};
}

PageCounts PageTables::held(int slot) const {
  const Slot& of = at(slot);
  const std::int64_t pages = pages_of(of.length);
  return {layers_[kFull] > 0 ? pages : 0,
          layers_[kSliding] > 0 ? pages - of.first_sliding : 0};
}

std::int32_t PageTables::number(std::int64_t place, std::size_t kind) const {
  const std::int32_t held = table_[static_cast<std::size_t>(place)];
  return held == kNoPage ? kNoPage
                         : held / static_cast<std::int32_t>(layers_[kind]);
}

void PageTables::put(std::int64_t place, std::size_t kind, std::int32_t page) {
  table_[static_cast<std::size_t>(place)] =
      page * static_cast<std::int32_t>(layers_[kind]);
}

void PageTables::drop(std::int64_t place, std::size_t kind) noexcept {
  const std::int32_t page = number(place, kind);
  if (page == kNoPage) return;
  pools_[kind].drop(page);
  table_[static_cast<std::size_t>(place)] = kNoPage;
}

/// Copies what others have too, before the slot writes to it.
void PageTables::own(std::int64_t place, std::size_t kind,
                     PageChanges& changes) {
  const std::int32_t page = number(place, kind);
  if (page == kNoPage || !pools_[kind].is_shared(page)) return;
  const std::int32_t mine = pools_[kind].take();
  changes.copies.push_back({.kind = kind, .from = page, .to = mine});
  changes.entries.push_back({.first = place, .count = 1});
  pools_[kind].drop(page);
  put(place, kind, mine);
}

/// Takes the sequence's next page, in all layers.
void PageTables::add(int slot) {
  const std::int64_t page = at(slot).pages++;  // drop() passes over what fails
  for (const std::size_t kind : {kFull, kSliding}) {
    if (layers_[kind] == 0) continue;
    put(place(slot, kind, page), kind, pools_[kind].take());
  }
}

void PageTables::extend(int slot, std::int64_t count, PageChanges& changes) {
  Slot& of = at(slot);
  const std::int64_t end = of.length + count;
  if (count < 0 || pages_of(end) > width_) {
    throw Error(Code::kInternal, str("slot ", slot, " would hold ", end,
                                     " tokens, more than the context"));
  }
  const std::int64_t oldest = of.length - (window_ - 1) - slack_;
  while (of.first_sliding < of.pages &&
         (of.first_sliding + 1) * kPageTokens <= oldest) {
    drop(place(slot, kSliding, of.first_sliding++), kSliding);
  }
  for (std::int64_t page = of.length / kPageTokens; page < of.pages; ++page) {
    own(place(slot, kFull, page), kFull, changes);
    own(place(slot, kSliding, page), kSliding, changes);
  }
  const std::int64_t before = of.pages;
  while (of.pages * kPageTokens < end) add(slot);
  for (const std::size_t kind : {kFull, kSliding}) {
    if (layers_[kind] == 0 || of.pages == before) continue;
    changes.entries.push_back(
        {.first = place(slot, kind, before), .count = of.pages - before});
  }
  of.length = end;
}

bool PageTables::reserve(int slot, PageChanges& changes) {
  const Slot& of = at(slot);
  const std::int64_t page = of.length / kPageTokens;
  if (page >= width_) return false;
  for (const std::size_t kind : {kFull, kSliding}) {
    if (layers_[kind] == 0) continue;
    const bool is_there = page < of.pages;
    if (!is_there && pools_[kind].free() == 0) return false;
    if (is_there &&
        pools_[kind].is_shared(number(place(slot, kind, page), kind)))
      return false;
  }
  if (page < of.pages) return true;
  add(slot);
  for (const std::size_t kind : {kFull, kSliding}) {
    if (layers_[kind] == 0) continue;
    changes.entries.push_back({.first = place(slot, kind, page), .count = 1});
  }
  return true;
}

void PageTables::unreserve(int slot) noexcept {
  while (at(slot).pages > pages_of(at(slot).length)) drop_last(slot);
}

void PageTables::drop_last(int slot) noexcept {
  const std::int64_t page = --at(slot).pages;
  drop(place(slot, kFull, page), kFull);
  drop(place(slot, kSliding, page), kSliding);
}

void PageTables::truncate(int slot, std::int64_t length) {
  Slot& of = at(slot);
  const std::int64_t oldest = std::max<std::int64_t>(0, length - window_ + 1);
  const bool is_gone =
      layers_[kSliding] > 0 && oldest < of.first_sliding * kPageTokens;
  if (length < 0 || length > of.length || is_gone) {
    throw Error(Code::kInternal, str("cannot cut a cache of ", of.length,
                                     " tokens to ", length));
  }
  while (of.pages > pages_of(length)) drop_last(slot);
  of.first_sliding = std::min(of.first_sliding, of.pages);
  of.length = length;
}

void PageTables::copy(int from, int to, PageChanges& changes) {
  release(to);
  const Slot& source = at(from);
  for (const std::size_t kind : {kFull, kSliding}) {
    if (layers_[kind] == 0 || source.pages == 0) continue;
    for (std::int64_t i = 0; i < source.pages; ++i) {
      const std::int32_t page = number(place(from, kind, i), kind);
      if (page == kNoPage) continue;
      pools_[kind].share(page);
      put(place(to, kind, i), kind, page);
    }
    changes.entries.push_back(
        {.first = place(to, kind, 0), .count = source.pages});
  }
  at(to) = source;
}

void PageTables::release(int slot) noexcept {
  Slot& of = at(slot);
  for (std::int64_t page = 0; page < of.pages; ++page) {
    drop(place(slot, kFull, page), kFull);
    drop(place(slot, kSliding, page), kSliding);
  }
  of = {};
}

}  // namespace penstock::gemma::cuda
