#include "binding/errors.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "penstock/pipeline_file.h"

namespace penstock::python {
namespace {

namespace nb = nanobind;

const char* word(Place::Kind kind) {
  switch (kind) {
    case Place::Kind::kStage:
      return "stage";
    case Place::Kind::kRequest:
      return "request";
    case Place::Kind::kStep:
      return "step";
    case Place::Kind::kInput:
      return "input";
    case Place::Kind::kSink:
      return "sink";
    case Place::Kind::kOther:
      break;
  }
  return "other";
}

void raise(const nb::object& make, const Error& error) {
  nb::list places;
  for (const Place& place : error.places()) {
    places.append(nb::make_tuple(word(place.kind), place.name, place.detail));
  }
  std::vector<std::string> problems;
  if (const auto* many = dynamic_cast<const ConfigError*>(&error)) {
    problems = many->problems();
  }
  const nb::object made =
      make(static_cast<int>(error.code()), std::string(to_string(error.code())),
           error.text(), places, problems);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(made.ptr())), made.ptr());
}

void translate(const std::exception_ptr& thrown, void* make) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    try {
      raise(*static_cast<nb::object*>(make), error);
    } catch (nb::python_error& failed) {
      failed.restore();
    }
  }
}

}  // namespace

void raise_errors_with(nb::object make) {
  // Lives as long as the process: so does the translator.
  static nb::object* kept = nullptr;
  if (kept != nullptr) {
    *kept = std::move(make);
    return;
  }
  kept = new nb::object(std::move(make));
  nb::register_exception_translator(&translate, kept);
}

}  // namespace penstock::python
