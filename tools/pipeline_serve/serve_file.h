// serve.yaml: what the command line says, in a file that can be kept.
//
//   pipelines:
//     chat: {file: gemma_chat.yaml, set: {batch.max_sequences: 16}}
//     speech: speech_to_text.yaml
//   port: 8080
//   api_key_file: keys.txt   # weight= and priority= of a key: serving/keys.h
//   max_queue: 32            # of each pipeline; clients share it
#pragma once

#include <filesystem>

#include "pipeline_serve/options.h"

namespace penstock::serve {

/// Reads the file over `options`; files it names lie beside it, or came along.
/// Throws Error(kNotFound), or ConfigError with every fault and its place.
void read_serve_file(const std::filesystem::path& path, Options& options);

}  // namespace penstock::serve
