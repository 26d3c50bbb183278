// echo.bytes: a text's bytes as token ids.
#pragma once

#include <string>

#include "penstock/preprocess.h"

namespace penstock::echo {

/// Input: the request's text, or what a stage before made of it. Output:
/// tokens i64[T], one a byte. An empty text is an error.
class Bytes final : public Preprocess {
 public:
  struct Params {
    std::string input = "text";
  };
  static void declare(Declaration<Bytes>& d);
  explicit Bytes(Params params) : params_(std::move(params)) {}

  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override;

 private:
  Params params_;
};

}  // namespace penstock::echo
