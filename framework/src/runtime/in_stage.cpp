#include "runtime/in_stage.h"

#include <c10/util/Exception.h>

#include <new>

namespace penstock {

Error current_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const c10::Error& error) {
    return {Code::kInternal, error.what_without_backtrace()};
  } catch (const std::bad_alloc&) {
    return {Code::kRetry, "out of memory"};
  } catch (const std::exception& error) {
    return {Code::kInternal, error.what()};
  } catch (...) {
    return {Code::kInternal, "an exception of an unknown type"};
  }
}

Error current_error(const Place& place) { return current_error().in(place); }

}  // namespace penstock
