#include "echo/bytes.h"

#include "penstock/keys.h"

namespace penstock::echo {

void Bytes::declare(Declaration<Bytes>& d) {
  d.doc("A text's bytes as token ids")
      .output("tokens: i64[T]")
      .uses(kText)
      .light();
  d.param("input", &Params::input, "the request's input that is read");
}

void Bytes::preprocess(const Request& request, Item in, ItemSink& out) const {
  const std::string& text = text_of(request, in, params_.input);
  if (text.empty()) {
    throw Error(Code::kData, "the text is empty; it needs a byte at least");
  }
  in.tokens.clear();
  for (const char byte : text) {
    in.tokens.push_back(static_cast<unsigned char>(byte));
  }
  out.push(std::move(in));
}

}  // namespace penstock::echo
