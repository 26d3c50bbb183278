// A plugin with one stage: text to capitals, before the tokenizer sees it.
//
// It runs as the first of two preprocess stages (see shout.yaml): it leaves its
// text in the item's notes, where gemma.tokenize looks for it.
#include <cctype>

#include "penstock/plugin.h"

namespace {

using penstock::Declaration;
using penstock::Item;
using penstock::ItemSink;
using penstock::Request;

/// Input: text. Notes: `text`, in capitals (ASCII letters only).
class Shout final : public penstock::Preprocess {
 public:
  struct Params {
    std::string ending = "!";
  };
  static void declare(Declaration<Shout>& d) {
    d.doc("Text in capitals");
    d.param("ending", &Params::ending, "added at the end").per_request();
  }
  explicit Shout(const Params& /*params*/) {}

  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override {
    std::string text = penstock::text_input(request);
    for (char& c : text) {
      c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    const auto& params = penstock::params<Params>(*this, request);
    in.notes["text"] = text + params.ending;
    out.push(std::move(in));
  }
};

}  // namespace

PENSTOCK_PLUGIN(shout, registry) { registry.add<Shout>("shout"); }
