#include "text/bytes.h"

#include <ATen/ops/full.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>

#include "penstock/keys.h"
#include "penstock/media.h"

namespace penstock::text {
namespace {

constexpr std::string_view kBlanks = " \t\n\r\v\f";

struct Blocks {
  std::string first, last;
};

/// At most `most` bytes from both ends, which overlap in a short file.
Blocks read_blocks(const Media& media, std::int64_t most) {
  const auto size_of = [most](std::int64_t all) {
    if (all == 0) throw Error(Code::kData, "the file is empty");
    return static_cast<std::size_t>(std::min(most, all));
  };
  if (media.bytes != nullptr) {
    const std::string& all = *media.bytes;
    const auto size = size_of(static_cast<std::int64_t>(all.size()));
    return {all.substr(0, size), all.substr(all.size() - size)};
  }
  const std::string path = media_path(media);
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto all = static_cast<std::int64_t>(file.tellg());
  if (!file || all < 0) {
    throw Error(Code::kNotFound, str("'", path, "' cannot be read"));
  }
  const auto size = size_of(all);
  const auto read = [&](std::int64_t from) {
    std::string block(size, '\0');
    file.seekg(from);
    file.read(block.data(), static_cast<std::streamsize>(size));
    return block;
  };
  Blocks out;
  out.first = read(0);
  out.last = read(all - static_cast<std::int64_t>(size));
  if (!file) throw Error(Code::kData, str("'", path, "' became shorter"));
  return out;
}

}  // namespace

void Bytes::declare(Declaration<Bytes>& d) {
  d.doc("How a file begins and ends, as numbers; for models of file types")
      .input("file: media")
      .output("bytes: i32[N]")
      .makes(kPath)
      .light();
  d.param("begin", &Params::begin, "numbers of the file's beginning")
      .range(0, 1 << 20);
  d.param("end", &Params::end, "numbers of its end, behind them")
      .range(0, 1 << 20);
  d.param("block", &Params::block, "bytes that are read from each end")
      .range(1, 1 << 24);
  d.param("padding", &Params::padding,
          "number that stands where a file has no more: behind the beginning, "
          "before the end");
  d.param("strip", &Params::strip,
          "whether blanks at the outside of each block are left out");
  d.check([](const Params& p) -> std::string {
    if (p.begin + p.end < 1) return "begin and end are both 0";
    if (std::max(p.begin, p.end) <= p.block) return "";
    return str("block is ", p.block, ", less than begin or end");
  });
}

void Bytes::preprocess(const Request& request, Item in, ItemSink& out) const {
  const Media media = media_input(request, "file");
  const Blocks blocks = read_blocks(media, params_.block);
  std::string_view first = blocks.first;
  std::string_view last = blocks.last;
  if (params_.strip) {
    first.remove_prefix(
        std::min(first.find_first_not_of(kBlanks), first.size()));
    last = last.substr(0, last.find_last_not_of(kBlanks) + 1);
  }
  first = first.substr(0, static_cast<std::size_t>(params_.begin));
  const auto end = static_cast<std::size_t>(params_.end);
  if (last.size() > end) last.remove_prefix(last.size() - end);
  const at::Tensor made =
      at::full({params_.begin + params_.end}, params_.padding, at::kInt);
  auto* const numbers = made.mutable_data_ptr<std::int32_t>();
  const auto as_number = [](char c) {
    return static_cast<std::int32_t>(static_cast<unsigned char>(c));
  };
  std::transform(first.begin(), first.end(), numbers, as_number);
  std::transform(last.begin(), last.end(),
                 numbers + params_.begin + params_.end -
                     static_cast<std::int64_t>(last.size()),
                 as_number);
  set(in.notes, kPath, media.name);
  in.inputs.emplace_back("bytes", made);
  out.push(std::move(in));
}

}  // namespace penstock::text
