// A plugin with one stage: text to capitals, before the tokenizer sees it.
//
// It runs as the first of two preprocess stages (see shout.yaml): it leaves its
// text as the note kText, where the next stage finds it with text_of(). Both
// declare it, so that a file with the two in the wrong order is refused. The
// build puts the plugin beside the other examples' (shout.yaml says where).
#include <cctype>

#include "penstock/keys.h"
#include "penstock/plugin.h"

namespace {

using penstock::Declaration;
using penstock::Item;
using penstock::ItemSink;
using penstock::Request;

/// The text in capitals (ASCII letters only).
class Shout final : public penstock::Preprocess {
 public:
  struct Params {
    std::string ending = "!";
  };
  static void declare(Declaration<Shout>& d) {
    d.doc("Text in capitals").uses(penstock::kText).makes(penstock::kText);
    d.param("ending", &Params::ending, "added at the end").per_request();
  }
  explicit Shout(const Params& /*params*/) {}

  void preprocess(const Request& request, Item in,
                  ItemSink& out) const override {
    std::string text = penstock::text_of(request, in);
    for (char& c : text) {
      c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    const auto& params = penstock::params<Params>(*this, request);
    set(in.notes, penstock::kText, text + params.ending);
    out.push(std::move(in));
  }
};

}  // namespace

PENSTOCK_PLUGIN(shout, registry) { registry.add<Shout>("shout"); }
