#include "gemma/jinja/template.h"

#include <utility>

#include "gemma/jinja/interpreter.h"
#include "gemma/jinja/parser.h"
#include "penstock/error.h"
#include "penstock/text.h"

namespace penstock::gemma::jinja {

struct Template::Impl {
  Block block;
  Limits limits;
};

Template::Template(std::string_view source, const Limits& limits) {
  if (source.size() > limits.source) {
    throw Error(Code::kData, str("the chat template has ", source.size(),
                                 " bytes; the most is ", limits.source));
  }
  if (const auto bad = invalid_utf8(source)) {
    throw Error(Code::kData,
                str("the chat template is not UTF-8 at byte ", *bad));
  }
  impl_ = std::make_unique<const Impl>(
      Impl{.block = parse(source), .limits = limits});
}

Template::~Template() = default;

Text Template::run(Map variables, std::time_t now) const {
  return Interpreter(impl_->limits, now)
      .run(impl_->block, std::move(variables));
}

}  // namespace penstock::gemma::jinja
