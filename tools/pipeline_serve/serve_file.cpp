#include "pipeline_serve/serve_file.h"

#include <functional>
#include <optional>
#include <utility>

#include "config/problems.h"
#include "config/source_text.h"
#include "config/values.h"
#include "config/yaml_reader.h"

namespace penstock::serve {
namespace {

using config::Entry;
using config::Problems;
using config::YamlNode;

/// A key beside `pipelines`, what it may be and what it sets.
struct Setting {
  ParamSpec spec;
  std::function<void(Options&, const ParamValue&)> set;
};

ParamSpec spec_of(const char* name, ParamValue fallback) {
  ParamSpec spec;
  spec.name = name;
  spec.fallback = std::move(fallback);
  return spec;
}

ParamSpec spec_of(const char* name, ParamValue fallback, double least,
                  double most) {
  ParamSpec spec = spec_of(name, std::move(fallback));
  spec.min = least;
  spec.max = most;
  return spec;
}

Setting text(const char* name, std::string& (*of)(Options&)) {
  return {spec_of(name, std::string()),
          [of](Options& options, const ParamValue& value) {
            of(options) = std::get<std::string>(value);
          }};
}

Setting count(const char* name, double most,
              std::function<void(Options&, std::int64_t)> set) {
  return {spec_of(name, std::int64_t{0}, 0, most),
          [set = std::move(set)](Options& options, const ParamValue& value) {
            set(options, std::get<std::int64_t>(value));
          }};
}

Setting bytes(const char* name, std::size_t Limits::*member) {
  return {spec_of(name, std::int64_t{0}, 1, 1 << 30),
          [member](Options& options, const ParamValue& value) {
            options.front.limits.*member =
                static_cast<std::size_t>(std::get<std::int64_t>(value));
          }};
}

Setting seconds(const char* name, double least, double& (*of)(Options&)) {
  return {spec_of(name, 0.0, least, 1e6),
          [of](Options& options, const ParamValue& value) {
            of(options) = std::get<double>(value);
          }};
}

Setting origins() {
  return {spec_of("cors_origins", std::vector<std::string>()),
          [](Options& options, const ParamValue& value) {
            options.front.origins = std::get<std::vector<std::string>>(value);
          }};
}

const std::vector<Setting>& keys() {
  static const std::vector<Setting> all{
      text("host", [](Options& o) -> std::string& { return o.address.host; }),
      count("port", 65535,
            [](Options& o, std::int64_t port) {
              o.address.port = static_cast<int>(port);
            }),
      text("unix_socket",
           [](Options& o) -> std::string& { return o.address.unix_path; }),
      text("tls_cert",
           [](Options& o) -> std::string& { return o.certificate; }),
      text("tls_key", [](Options& o) -> std::string& { return o.key; }),
      text("api_key_file",
           [](Options& o) -> std::string& { return o.key_file; }),
      text("access_log",
           [](Options& o) -> std::string& { return o.front.access_log; }),
      text("trace", [](Options& o) -> std::string& { return o.trace; }),
      origins(),
      count("max_queue", 100000,
            [](Options& o, std::int64_t most) { o.served.max_queue = most; }),
      seconds("request_timeout", 0,
              [](Options& o) -> double& { return o.served.timeout_s; }),
      seconds("stall_timeout", 0,
              [](Options& o) -> double& { return o.served.stall_s; }),
      seconds("drain_timeout", 0,
              [](Options& o) -> double& { return o.drain_s; }),
      bytes("max_connections", &Limits::connections),
      bytes("max_header", &Limits::header_bytes),
      bytes("max_body", &Limits::body_bytes),
      bytes("max_media", &Limits::media_bytes),
      seconds("header_timeout", 0.1,
              [](Options& o) -> double& { return o.front.limits.header_s; }),
      seconds("body_timeout", 0.1,
              [](Options& o) -> double& { return o.front.limits.body_s; }),
      seconds("idle_timeout", 0.1,
              [](Options& o) -> double& { return o.front.limits.idle_s; }),
  };
  return all;
}

std::vector<std::string> names() {
  std::vector<std::string> out{"version", "pipelines"};
  for (const Setting& key : keys()) out.push_back(key.spec.name);
  return out;
}

class Reader {
 public:
  Reader(std::filesystem::path path, Options& options)
      : path_(std::move(path)), problems_(path_), options_(options) {}

  void read() {
    const std::string source = config::read_source(path_, problems_);
    const auto root = config::read_yaml(source, problems_);
    if (!root || root->kind != YamlNode::Kind::kMap) {
      problems_.add_whole(
          "is no map such as pipelines: {chat: gemma_chat.yaml}");
      return problems_.throw_if_any();
    }
    for (const Entry& entry : root->entries) read_entry(entry);
    problems_.throw_if_any();
  }

 private:
  void read_entry(const Entry& entry) {
    if (entry.key == "version") return;
    if (entry.key == "pipelines") return read_pipelines(*entry.value);
    for (const Setting& key : keys()) {
      if (key.spec.name != entry.key) continue;
      const auto value = config::read_param(*entry.value, key.spec, problems_);
      if (value) key.set(options_, *value);
      return;
    }
    problems_.add(entry.at, config::unknown_key(entry.key, names()));
  }

  void read_pipelines(const YamlNode& value) {
    if (value.kind != YamlNode::Kind::kMap) {
      return problems_.add(value.at, "pipelines is " +
                                         config::description(value) +
                                         ", expected a map of NAME: FILE");
    }
    for (const Entry& entry : value.entries) read_pipeline(entry);
  }

  void read_pipeline(const Entry& entry) {
    const YamlNode* file = entry.value.get();
    if (file->kind == YamlNode::Kind::kMap) {
      for (const Entry& key : file->entries) {
        if (key.key == "set") read_set(entry.key, *key.value);
        if (key.key != "set" && key.key != "file") {
          problems_.add(key.at, config::unknown_key(key.key, {"file", "set"}));
        }
      }
      const Entry* found = file->find("file");
      if (found == nullptr) {
        return problems_.add(entry.at, "'file' is missing: which pipeline?");
      }
      file = found->value.get();
    }
    const auto name =
        config::read_scalar(*file, "the name of a pipeline file", problems_);
    if (name)
      options_.pipelines.push_back(entry.key + "=" + beside(name->text));
  }

  void read_set(const std::string& pipeline, const YamlNode& value) {
    for (const Entry& entry : value.entries) {
      const auto raw = config::read_raw(*entry.value, "a value", problems_);
      if (!raw) continue;
      options_.overrides.push_back({.key = pipeline + "." + entry.key,
                                    .value = config::yaml_of(*raw),
                                    .source = problems_.place(entry.at)});
    }
  }

  /// A file that lies beside this one, else the name as it is.
  [[nodiscard]] std::string beside(const std::string& name) const {
    const auto near = path_.parent_path() / name;
    return std::filesystem::exists(near) ? near.string() : name;
  }

  std::filesystem::path path_;
  Problems problems_;
  Options& options_;
};

}  // namespace

void read_serve_file(const std::filesystem::path& path, Options& options) {
  Reader(path, options).read();
}

}  // namespace penstock::serve
