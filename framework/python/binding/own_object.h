// What the three kinds of stages in Python share: an object of Python that the
// engine's threads call, and what is handed over.
#pragma once

#include <nanobind/nanobind.h>

#include <exception>
#include <utility>

#include "binding/declare.h"
#include "binding/values.h"
#include "penstock/preprocess.h"

namespace penstock::python {

/// The stage that Registry::add() is about.
[[nodiscard]] const OwnStage& stage_being_declared();

template <class T>
void declare_own(Declaration<T>& d) {
  const OwnStage& stage = stage_being_declared();
  d.doc(stage.doc);
  for (const auto& port : stage.inputs) d.input(port);
  for (const auto& port : stage.outputs) d.output(port);
}

/// What was raised, with Python's traceback; the GIL is held.
[[nodiscard]] Error error_of(const nb::handle& exception);

/// Calls into Python with the GIL; what is raised becomes an Error.
template <class Call>
auto in_python(Call&& call) {
  const nb::gil_scoped_acquire gil;
  try {
    return std::forward<Call>(call)();
  } catch (const nb::python_error& raised) {
    throw error_of(raised.value());
  } catch (const nb::cast_error&) {
    throw Error(Code::kInternal,
                "the class of Python gave a value of another type than it "
                "should; see the docs of its method");
  }
}

/// A reference that any thread may let go of.
class Held {
 public:
  Held() = default;
  explicit Held(nb::object object) : object_(std::move(object)) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held();
  [[nodiscard]] const nb::object& get() const { return object_; }

 private:
  nb::object object_;
};

/// The object behind a stage.
class OwnObject {
 public:
  explicit OwnObject(const OwnParams& params);
  void open(const StageContext& context);
  void close() noexcept;
  [[nodiscard]] const nb::object& get() const { return object_.get(); }

 private:
  Held object_;
};

// The GIL is held. What they are in Python says penstock/_stage.py.
[[nodiscard]] nb::dict dict_of(const OwnParams& params);
[[nodiscard]] nb::dict dict_of(const Request& request, const OwnParams& params);
[[nodiscard]] nb::dict dict_of(const Item& item);
[[nodiscard]] nb::dict arrays_of(const Tensors& tensors);
[[nodiscard]] Tensors tensors_of(const nb::dict& arrays);
[[nodiscard]] Notes notes_of(const nb::dict& notes);
[[nodiscard]] Item item_of(const nb::dict& item);

}  // namespace penstock::python
