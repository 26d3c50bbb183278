// Where requests come from: the pipeline file, --text, files, lines of stdin,
// JSONL.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "penstock/composition_file.h"
#include "penstock/pipeline.h"
#include "pipeline_run/input/openai_request.h"
#include "pipeline_run/input/stop.h"
#include "pipeline_run/options.h"

namespace penstock::run {

/// The next request, or why the next one could not be read.
struct Input {
  Request request;
  std::string place;  ///< "stdin, line 3", or ""
  std::optional<Error> error;
  std::optional<OpenAiCall> openai;  ///< it came as a line of OpenAI's
};

struct Inputs {
  /// Gives them one by one, in order; nothing: the end.
  std::function<std::optional<Input>()> next;
  std::optional<std::size_t> count;  ///< where it is known
};

/// `ports` are the inputs that are files, `own` the requests of the pipeline
/// file, for when the command line has none. Throws Error when a source cannot
/// be opened. A stop ends the inputs.
[[nodiscard]] Inputs open_inputs(const Options& options,
                                 const std::vector<Port>& ports,
                                 const std::vector<InputConfig>& own,
                                 const Stop& stop);

/// The same for a pipeline. A prompt of /v1/completions is continued as it is,
/// also where the pipeline makes a conversation of a text.
[[nodiscard]] Inputs open_inputs(const Options& options,
                                 const PipelineFile& file, const Stop& stop);
/// The same for a file of steps, or of one pipeline.
[[nodiscard]] Inputs open_inputs(const Options& options,
                                 const CompositionFile& file, const Stop& stop);

}  // namespace penstock::run
