// What Python hands in as a request's inputs and options, and what it gets of a
// call. The GIL is held.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <map>
#include <string>

#include "binding/call.h"
#include "penstock/request.h"

namespace penstock::python {

namespace nb = nanobind;

using Array = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;

/// The array's own memory as a tensor; it is kept until nobody looks at it.
[[nodiscard]] at::Tensor tensor_of(Array array);
/// A tensor's memory as something that numpy and DLPack take.
[[nodiscard]] nb::object array_of(const at::Tensor& tensor);
/// Lets go of arrays whose tensors are gone. Engine threads do not take the
/// GIL for that, so that they never wait for Python.
void free_arrays();

/// A text, or one of the tuples that penstock/_inputs.py makes:
/// ("json", text), ("file", name, begin, end), ("bytes", name, bytes),
/// ("array", name, array). Throws Error(kData).
[[nodiscard]] Value value_of(nb::handle object);
/// (text, is_quoted), or a list of them.
[[nodiscard]] Raw raw_of(nb::handle object);
/// A piece as Python reads it: text, ("json", text) or {name: array}.
[[nodiscard]] nb::object object_of(const Value& value);
/// What penstock/_result.py makes a Result of.
[[nodiscard]] nb::dict dict_of(const Part& part);
[[nodiscard]] nb::dict dict_of(const Notes& notes);

}  // namespace penstock::python
