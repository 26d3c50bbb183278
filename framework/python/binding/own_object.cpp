#include "binding/own_object.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <string>

namespace penstock::python {
namespace {

nb::object helper(const char* name) {
  return nb::module_::import_("penstock._stage_calls").attr(name);
}

Code code_of(const std::string& word) {
  for (const Code code : {Code::kUsage, Code::kData, Code::kNotFound,
                          Code::kUnavailable, Code::kRetry}) {
    if (to_string(code) == word) return code;
  }
  return Code::kInternal;
}

/// As penstock/_inputs.py writes them; pieces for a live source there are none.
nb::object input_of(const Value& value) {
  const auto* media = std::get_if<Media>(&value);
  if (media == nullptr) return object_of(value);
  if (media->bytes == nullptr) {
    return nb::make_tuple("file", media->name, media->begin, media->end);
  }
  return nb::make_tuple("bytes", media->name,
                        nb::bytes(media->bytes->data(), media->bytes->size()));
}

NoteValue note_of(nb::handle value) {
  if (nb::isinstance<nb::bool_>(value)) return nb::cast<bool>(value);
  if (nb::isinstance<nb::int_>(value)) return nb::cast<std::int64_t>(value);
  if (nb::isinstance<nb::float_>(value)) return nb::cast<double>(value);
  if (nb::isinstance<nb::str>(value)) return nb::cast<std::string>(value);
  return nb::cast<Tokens>(value);
}

}  // namespace

Error error_of(const nb::handle& exception) {
  try {
    const auto told = nb::cast<nb::tuple>(helper("described")(exception));
    return Error(code_of(nb::cast<std::string>(told[0])),
                 nb::cast<std::string>(told[1]));
  } catch (const std::exception&) {
    return Error(Code::kInternal,
                 "the class of Python raised an exception that cannot be "
                 "shown");
  }
}

Held::~Held() {
  if (!object_.is_valid()) return;
  if (Py_IsInitialized() == 0) {
    (void)object_.release();  // there is nobody to give it back to
    return;
  }
  const nb::gil_scoped_acquire gil;
  object_.reset();
}

OwnObject::OwnObject(const OwnParams& params)
    : object_(in_python([&] {
        return nb::object(nb::borrow(params.stage->make)(dict_of(params)));
      })) {}

void OwnObject::open(const StageContext& context) {
  in_python([&] {
    get().attr("open")(dict_of(context.facts), context.model,
                       context.device.str(), context.slots);
  });
}

void OwnObject::close() noexcept {
  try {
    in_python([&] { get().attr("close")(); });
  } catch (...) {  // nobody is left to be told
  }
}

nb::dict dict_of(const OwnParams& params) {
  nb::dict out;
  for (const auto& [name, value] : params.values) {
    out[nb::cast(name)] =
        std::visit([](const auto& plain) { return nb::cast(plain); }, value);
  }
  return out;
}

nb::dict dict_of(const Request& request, const OwnParams& params) {
  nb::dict inputs;
  for (const auto& [name, value] : request.inputs) {
    inputs[nb::cast(name)] = input_of(value);
  }
  nb::dict out;
  out["id"] = request.id;
  out["inputs"] = inputs;
  out["params"] = dict_of(params);
  return out;
}

nb::dict dict_of(const Item& item) {
  nb::dict out;
  out["tokens"] = item.tokens;
  out["inputs"] = arrays_of(item.inputs);
  out["notes"] = dict_of(item.notes);
  out["width"] = item.width;
  return out;
}

nb::dict arrays_of(const Tensors& tensors) {
  return nb::cast<nb::dict>(object_of(Value(tensors)));
}

Tensors tensors_of(const nb::dict& arrays) {
  Tensors out;
  for (const auto& [name, array] : arrays) {
    out.emplace_back(nb::cast<std::string>(name),
                     tensor_of(nb::cast<Array>(array)));
  }
  return out;
}

Notes notes_of(const nb::dict& notes) {
  Notes out;
  for (const auto& [name, value] : notes) {
    out[nb::cast<std::string>(name)] = note_of(value);
  }
  return out;
}

Item item_of(const nb::dict& item) {
  Item out;
  out.tokens = nb::cast<Tokens>(item["tokens"]);
  out.inputs = tensors_of(nb::cast<nb::dict>(item["inputs"]));
  out.notes = notes_of(nb::cast<nb::dict>(item["notes"]));
  out.width = nb::cast<int>(item["width"]);
  return out;
}

}  // namespace penstock::python
