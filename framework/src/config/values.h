// Reads single values of a pipeline file: scalars, raws, names, devices.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/problems.h"
#include "config/yaml_node.h"
#include "penstock/params.h"

namespace penstock::config {

/// "a list", "an empty value", ...: for error texts.
[[nodiscard]] std::string description(const YamlNode& node);

/// A scalar with its variables expanded. Nothing: a problem was added, which
/// says what was `wanted`.
[[nodiscard]] std::optional<RawScalar> read_scalar(const YamlNode& node,
                                                   const std::string& wanted,
                                                   Problems& problems);
/// A scalar or a list of them, likewise.
[[nodiscard]] std::optional<Raw> read_raw(const YamlNode& node,
                                          const std::string& wanted,
                                          Problems& problems);
/// Reads a value and checks it against a spec, likewise.
[[nodiscard]] std::optional<ParamValue> read_param(const YamlNode& node,
                                                   const ParamSpec& spec,
                                                   Problems& problems);

/// A model as a file names it: where none of that name lies in the folder that
/// the program runs in, the one beside the file, by its path.
[[nodiscard]] std::string model_seen_from(const std::filesystem::path& file,
                                          const std::string& text);

/// "unknown key 'x'", with the nearest of the known ones, or all of them.
[[nodiscard]] std::string unknown_key(const std::string& key,
                                      const std::vector<std::string>& known);

/// As YAML on one line that reads back as the same.
[[nodiscard]] std::string yaml_of(const Raw& raw);

/// Each throws Error(kData) that says what was expected.
void check_name(const std::string& text);
void check_use(const std::string& text);
void check_device(const std::string& text);
/// The device, or the list of devices that a Forward runs on, each checked, as
/// StageConfig::device has them.
[[nodiscard]] std::string device_text(const Raw& raw);
/// "allow" or "deny".
void check_copies(const std::string& text);

/// The checks of `model`, `device`, `name` and `threads`, as params.
[[nodiscard]] const ParamSpec& text_spec();
[[nodiscard]] const ParamSpec& threads_spec();

}  // namespace penstock::config
