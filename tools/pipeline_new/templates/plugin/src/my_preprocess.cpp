#include "src/my_preprocess.h"

#include <utility>

#include "penstock/keys.h"

namespace my_plugin {

void MyPreprocessStage::declare(penstock::Declaration<MyPreprocessStage>& d) {
  // A stage that makes tensors or tokens says so: .output("tokens: i64[T]").
  d.doc("Puts a text in front of the request's")
      .uses(penstock::kText)
      .makes(penstock::kText)
      .light();
  d.param("prefix", &Params::prefix, "what is put in front").per_request();
}

void MyPreprocessStage::preprocess(const penstock::Request& request,
                                   penstock::Item in,
                                   penstock::ItemSink& out) const {
  const auto& params = penstock::params<Params>(*this, request);
  const std::string text = params.prefix + penstock::text_of(request, in);
  penstock::set(in.notes, penstock::kText, text);
  out.push(std::move(in));
}

}  // namespace my_plugin
