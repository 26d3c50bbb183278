// penstock::Error as the class penstock.Error of Python, and waiting that
// Ctrl-C ends.
#pragma once

#include <nanobind/nanobind.h>

namespace penstock::python {

/// From here on every Error that leaves a bound function is raised by
/// `make(code, text, places, problems)`, which gives an exception.
void raise_errors_with(nanobind::object make);

/// Calls `wait`, which returns soon, without the GIL until it gives true.
/// Between two calls Python's signal handlers run; throws what they raise.
template <class Wait>
void wait_interruptibly(const Wait& wait) {
  for (;;) {
    {
      const nanobind::gil_scoped_release free;
      if (wait()) return;
    }
    if (PyErr_CheckSignals() != 0) throw nanobind::python_error();
  }
}

}  // namespace penstock::python
