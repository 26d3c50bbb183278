// The report as one page of HTML: no script, nothing fetched, light or dark as
// the reader has it.
#pragma once

#include <string>

#include "pipeline_bench/report.h"

namespace penstock::bench {

[[nodiscard]] std::string to_html(const Result& result);

}  // namespace penstock::bench
