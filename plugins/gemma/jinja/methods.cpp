// Methods of texts and maps: `text.strip()`, `map.items()`.
#include <algorithm>
#include <map>

#include "gemma/jinja/builtins.h"
#include "penstock/error.h"

namespace penstock::gemma::jinja {
namespace {

using Method = std::function<Value(const Text&, const Arguments&)>;

/// The text of an argument; nothing where it is none or not given.
Text text_of(const Arguments& arguments, std::size_t index, const char* name) {
  const Value* found = argument(arguments, index, name);
  if (found == nullptr || found->is_none()) return {};
  const auto* text = found->as<Text>();
  if (text == nullptr) {
    throw Error(Code::kData, str("a method needs a text, not ", kind(*found)));
  }
  return *text;
}

std::size_t most_of(const Arguments& arguments, std::size_t index,
                    const char* name) {
  return static_cast<std::size_t>(integer(arguments, index, name, -1));
}

/// Whether one of the texts, a text or a list of them, fits.
template <class Fits>
bool any_fits(const Arguments& arguments, Fits&& fits) {
  const Value* found = argument(arguments, 0, "prefix");
  if (found != nullptr && found->list() != nullptr) {
    return std::any_of(found->list()->begin(), found->list()->end(),
                       [&](const Value& each) { return fits(to_text(each)); });
  }
  return fits(text_of(arguments, 0, "prefix"));
}

bool starts(const Text& text, const Text& with) {
  return text.bytes().rfind(with.bytes(), 0) == 0;
}
bool ends(const Text& text, const Text& with) {
  return text.size() >= with.size() &&
         text.bytes().compare(text.size() - with.size(), with.size(),
                              with.bytes()) == 0;
}

Value as_list(std::vector<Text> texts) {
  return make_list(List(texts.begin(), texts.end()));
}

Value split_lines(const Text& text) {
  std::vector<Text> out =
      text.replaced(Text("\r\n"), Text("\n")).split("\n", std::string::npos);
  if (out.back().size() == 0) out.pop_back();
  return as_list(std::move(out));
}

Value count(const Text& text, const Text& part) {
  std::int64_t found = 0;
  if (part.size() == 0) return length_of(text) + 1;
  for (auto at = text.bytes().find(part.bytes()); at != std::string::npos;
       at = text.bytes().find(part.bytes(), at + part.size())) {
    ++found;
  }
  return found;
}

/// In characters.
Value position(const Text& text, std::size_t at) {
  if (at == std::string::npos) return std::int64_t{-1};
  return length_of(text.part(0, at));
}

Value all_are(const Text& text, bool (*is)(char)) {
  return text.size() > 0 &&
         std::all_of(text.bytes().begin(), text.bytes().end(), is);
}

const std::map<std::string, Method>& methods() {
  static const std::map<std::string, Method> table{
      {"strip",
       [](const Text& t, const Arguments& a) {
         return t.stripped(true, true, text_of(a, 0, "chars").bytes());
       }},
      {"lstrip",
       [](const Text& t, const Arguments& a) {
         return t.stripped(true, false, text_of(a, 0, "chars").bytes());
       }},
      {"rstrip",
       [](const Text& t, const Arguments& a) {
         return t.stripped(false, true, text_of(a, 0, "chars").bytes());
       }},
      {"split",
       [](const Text& t, const Arguments& a) {
         return as_list(
             t.split(text_of(a, 0, "sep").bytes(), most_of(a, 1, "maxsplit")));
       }},
      {"rsplit",
       [](const Text& t, const Arguments& a) {
         const Text separator = text_of(a, 0, "sep");
         if (separator.size() == 0) {
           throw Error(Code::kData, "rsplit needs a separator");
         }
         return as_list(t.split(separator.bytes(), most_of(a, 1, "maxsplit"),
                                /*from_right=*/true));
       }},
      {"splitlines",
       [](const Text& t, const Arguments&) { return split_lines(t); }},
      {"startswith",
       [](const Text& t, const Arguments& a) {
         return any_fits(a, [&](const Text& w) { return starts(t, w); });
       }},
      {"endswith",
       [](const Text& t, const Arguments& a) {
         return any_fits(a, [&](const Text& w) { return ends(t, w); });
       }},
      {"removeprefix",
       [](const Text& t, const Arguments& a) {
         const Text prefix = text_of(a, 0, "prefix");
         return starts(t, prefix) ? t.part(prefix.size()) : t;
       }},
      {"removesuffix",
       [](const Text& t, const Arguments& a) {
         const Text suffix = text_of(a, 0, "suffix");
         return ends(t, suffix) ? t.part(0, t.size() - suffix.size()) : t;
       }},
      {"replace",
       [](const Text& t, const Arguments& a) {
         return t.replaced(text_of(a, 0, "old"), text_of(a, 1, "new"),
                           most_of(a, 2, "count"));
       }},
      {"find",
       [](const Text& t, const Arguments& a) {
         return position(t, t.bytes().find(text_of(a, 0, "sub").bytes()));
       }},
      {"rfind",
       [](const Text& t, const Arguments& a) {
         return position(t, t.bytes().rfind(text_of(a, 0, "sub").bytes()));
       }},
      {"count",
       [](const Text& t, const Arguments& a) {
         return count(t, text_of(a, 0, "sub"));
       }},
      {"isdigit",
       [](const Text& t, const Arguments&) {
         return all_are(t, [](char c) { return c >= '0' && c <= '9'; });
       }},
      {"isspace",
       [](const Text& t, const Arguments&) {
         return t.size() > 0 && t.stripped(true, true).size() == 0;
       }},
      {"join",
       [](const Text& t, const Arguments& a) {
         Text out;
         const Value* list = argument(a, 0, "iterable");
         bool is_first = true;
         for (const Value& item : items_of(list == nullptr ? Value() : *list)) {
           if (!std::exchange(is_first, false)) out += t;
           out += to_text(item);
         }
         return out;
       }},
  };
  return table;
}

Value map_method(const Mapping& of, const std::string& name) {
  const auto map = of.map;
  if (name == "items" || name == "keys" || name == "values") {
    return make_function([map, name](const Arguments&) {
      List out;
      for (const auto& [key, value] : *map) {
        Value key_value = Text(key, /*is_content=*/true);
        out.push_back(name == "keys"     ? key_value
                      : name == "values" ? value
                                         : make_list({key_value, value}));
      }
      return make_list(std::move(out));
    });
  }
  if (name != "get") return Undefined{name};
  return make_function([map](const Arguments& arguments) -> Value {
    const Value* key = argument(arguments, 0, "key");
    const auto* word = key == nullptr ? nullptr : key->as<Text>();
    const Value* found = word == nullptr ? nullptr : find(*map, word->bytes());
    if (found != nullptr) return *found;
    const Value* other = argument(arguments, 1, "default");
    return other == nullptr ? Value(None()) : *other;
  });
}

}  // namespace

Value method(const Value& of, const std::string& name) {
  if (const auto* mapping = of.as<Mapping>()) return map_method(*mapping, name);
  const auto* text = of.as<Text>();
  if (text == nullptr) return Undefined{name};
  // Some do what the filter of that name does.
  for (const char* same : {"upper", "lower", "title", "capitalize"}) {
    if (name != same) continue;
    return make_function([copy = *text, name](const Arguments& arguments) {
      return filter(name, copy, arguments);
    });
  }
  const auto found = methods().find(name);
  if (found == methods().end()) return Undefined{name};
  return make_function(
      [copy = *text, &call = found->second](const Arguments& arguments) {
        return call(copy, arguments);
      });
}

}  // namespace penstock::gemma::jinja
