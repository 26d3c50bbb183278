#include "text/line_source.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "penstock/error.h"
#include "penstock/media.h"
#include "penstock/text.h"

namespace penstock::text {
namespace {

constexpr std::size_t kPiece = 1 << 16;

}  // namespace

struct LineSource::Bytes {
  std::ifstream file;
  std::size_t at = 0;  ///< in Media::bytes
};

LineSource::LineSource(Media media, std::int64_t max_bytes)
    : media_(std::move(media)),
      max_bytes_(max_bytes),
      bytes_(std::make_unique<Bytes>()) {
  if (media_.bytes == nullptr) {
    const std::string path = media_path(media_);
    bytes_->file.open(path, std::ios::binary);
    if (!bytes_->file) {
      throw Error(Code::kNotFound, str("'", path, "' cannot be opened"));
    }
  }
}

LineSource::~LineSource() = default;

/// Reads a piece more; false: there is none.
bool LineSource::fill() {
  held_.erase(0, at_);
  at_ = 0;
  if (media_.bytes != nullptr) {
    const std::size_t count =
        std::min(kPiece, media_.bytes->size() - bytes_->at);
    held_.append(*media_.bytes, bytes_->at, count);
    bytes_->at += count;
    return count > 0;
  }
  const std::size_t before = held_.size();
  held_.resize(before + kPiece);
  bytes_->file.read(held_.data() + before,
                    static_cast<std::streamsize>(kPiece));
  held_.resize(before + static_cast<std::size_t>(bytes_->file.gcount()));
  if (bytes_->file.bad()) fail(line_ + 1, "cannot be read on");
  return held_.size() > before;
}

std::optional<std::string> LineSource::next() {
  std::size_t looked = at_;
  std::size_t end = held_.find('\n', looked);
  while (end == std::string::npos && !is_over_) {
    const std::size_t had = held_.size() - at_;
    if (static_cast<std::int64_t>(had) > max_bytes_ + 1) {
      fail(line_ + 1, str("is longer than ", max_bytes_, " bytes (max_bytes)"));
    }
    is_over_ = !fill();
    looked = had;
    end = held_.find('\n', looked);
  }
  if (end == std::string::npos && at_ == held_.size()) return std::nullopt;
  std::string out = held_.substr(at_, std::min(end, held_.size()) - at_);
  at_ = end == std::string::npos ? held_.size() : end + 1;
  ++line_;
  if (!out.empty() && out.back() == '\r') out.pop_back();
  if (line_ == 1 && out.starts_with("\xEF\xBB\xBF")) out.erase(0, 3);
  if (static_cast<std::int64_t>(out.size()) > max_bytes_) {
    fail(line_, str("is longer than ", max_bytes_, " bytes (max_bytes)"));
  }
  if (const auto wrong = invalid_utf8(out)) {
    fail(line_, str("byte ", *wrong + 1, " of the line is no UTF-8"));
  }
  return out;
}

void LineSource::fail(std::int64_t line, const std::string& problem) const {
  throw Error(Code::kData, str(media_.name, ":", line, ": ", problem));
}

}  // namespace penstock::text
