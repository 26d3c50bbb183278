// text.bytes: how a file begins and ends, as numbers, for models that look at
// the bytes of any file.
#pragma once

#include "penstock/preprocess.h"

namespace penstock::text {

/// Input: `file`, any. Output: bytes i32[begin + end] and the note `path`. Of
/// a file of any size two blocks are read.
class Bytes final : public Preprocess {
 public:
  struct Params {
    std::int64_t begin = 1024;
    std::int64_t end = 1024;
    std::int64_t block = 4096;
    std::int64_t padding = 256;
    bool strip = true;
  };
  static void declare(Declaration<Bytes>& d);
  explicit Bytes(const Params& params) : params_(params) {}

  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  Params params_;
};

}  // namespace penstock::text
