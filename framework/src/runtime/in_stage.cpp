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
    const std::string text = error.what_without_backtrace();
    const bool is_memory =
        dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
        text.find("DefaultCPUAllocator") != text.npos;
    if (is_memory) return {Code::kRetry, "out of memory: " + text};
    return {Code::kInternal, text};
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
