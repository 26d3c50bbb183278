#include "penstock/request.h"

#include "penstock/keys.h"
#include "penstock/preprocess.h"
#include "penstock/text.h"

namespace penstock {

const std::string& text_input(const Request& request, const std::string& name) {
  const auto found = request.inputs.find(name);
  if (found == request.inputs.end()) {
    std::string there;
    for (const auto& [key, value] : request.inputs) there += " " + key;
    throw Error(Code::kData,
                str("the request has no input '", name, "'; it has:", there));
  }
  const auto* text = std::get_if<std::string>(&found->second);
  if (text == nullptr) {
    throw Error(Code::kData, str("input '", name, "' must be text"));
  }
  if (const auto bad = invalid_utf8(*text)) {
    throw Error(Code::kData, str("input '", name, "' is not UTF-8: byte ", *bad,
                                 " begins no character; convert the text "
                                 "(for example with iconv) and try again"));
  }
  return *text;
}

const std::string& text_of(const Request& request, const Item& item,
                           const std::string& input) {
  const std::string* made = find(item.notes, kText);
  return made != nullptr ? *made : text_input(request, input);
}

}  // namespace penstock
