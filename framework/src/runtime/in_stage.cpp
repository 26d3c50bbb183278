#include "runtime/in_stage.h"

#include <c10/util/Exception.h>

#include <new>

namespace penstock {

Error current_error(const std::string& place) {
  try {
    throw;
  } catch (Error& error) {
    return error.in(place);
  } catch (const c10::Error& error) {
    return Error(Code::kInternal, error.what_without_backtrace()).in(place);
  } catch (const std::bad_alloc&) {
    return Error(Code::kRetry, "out of memory").in(place);
  } catch (const std::exception& error) {
    return Error(Code::kInternal, error.what()).in(place);
  } catch (...) {
    return Error(Code::kInternal, "an exception of an unknown type").in(place);
  }
}

}  // namespace penstock
