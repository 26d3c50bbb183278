// Where requests come from: the pipeline file, --text, lines of stdin, JSONL.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "options.h"
#include "penstock/pipeline.h"

namespace penstock::run {

/// The next request, or why the next one could not be read.
struct Input {
  Request request;
  std::optional<Error> error;
};

/// Gives inputs one by one, in order; nothing: the end.
using Inputs = std::function<std::optional<Input>()>;

/// Throws Error when a source cannot be opened.
[[nodiscard]] Inputs open_inputs(const Options& options,
                                 const PipelineFile& file);

/// A line of at most `limit` bytes without its newline; nothing: the end.
/// Throws Error(kData) for a longer one, after skipping it.
[[nodiscard]] std::optional<std::string> read_line(std::istream& in,
                                                   std::size_t limit);

}  // namespace penstock::run
