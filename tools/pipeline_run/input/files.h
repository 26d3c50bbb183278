// Files as input: which inputs of a pipeline are files, and what a name on the
// command line stands for.
#pragma once

#include <string>
#include <vector>

#include "penstock/composition_file.h"
#include "penstock/request.h"
#include "pipeline_run/input/stop.h"

namespace penstock::run {

/// The inputs that are files: ports of type `media` of the preprocess stages.
[[nodiscard]] std::vector<Port> media_ports(const PipelineFile& file);
/// Those of all steps that the request itself has to give.
[[nodiscard]] std::vector<Port> media_ports(const CompositionFile& file);

/// The only one; throws Error(kUsage) where there is none or several.
[[nodiscard]] Port only_media_port(const std::vector<Port>& ports,
                                   const std::string& word);

/// A folder stands for the files in it and below, sorted, whose ending the
/// port names (all, where it names none); anything else for itself. Hidden
/// ones are left out. Throws Error(kData) for a folder without any.
[[nodiscard]] std::vector<std::string> files_of(const std::string& path,
                                                const Port& port);

/// What stdin gives: a Source of its bytes as they come where the port takes
/// `live` input, else all of it, at most 1 GiB. Throws Error(kData). `stop`
/// outlives the value.
[[nodiscard]] Value stdin_input(const Port& port, const Stop& stop);

/// Text of an input that is a file becomes Media.
void name_media(const std::vector<Port>& ports, Request& request);

}  // namespace penstock::run
