#include "tests/cli/support.h"

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "tests/cli/damaged_folders.h"

namespace penstock::cli {
namespace {

namespace fs = std::filesystem;

const std::string kSource = PENSTOCK_SOURCE_DIR "/";
const std::string kTiny = kSource + "tests/fixtures/tiny/tiny.gguf";

std::string read(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

class Folder {
 public:
  Folder()
      : path_(fs::temp_directory_path() /
              ("penstock_cli_" + std::to_string(getpid()))) {
    fs::create_directories(path_ / "empty");
    const std::string tiny = read(kTiny);
    write("truncated.gguf", tiny.substr(0, tiny.size() / 2));
    write("cut_header.gguf", tiny.substr(0, 200));
    write("empty.gguf", "");
    write("not_gguf.gguf", "hello, this is not a model\n");
    std::string changed = tiny;
    changed[14] = '\x7F';  // the number of tensors becomes absurd
    write("flipped_count.gguf", changed);
    write("tensor_missing.gguf",
          replaced(tiny, "output_norm.weight", "output_n0rm.weight"));
    write("unread_tensor.gguf",
          replaced(read(kSource + "tests/fixtures/tiny/untied.gguf"),
                   "output.weight", "outbut.weight"));
    write("no_tokenizer.gguf",
          replaced(tiny, "tokenizer.ggml.tokens", "tokenizer.ggml.t0kens"));
    write("other_architecture.gguf",
          replaced(tiny, std::string("\x06\0\0\0\0\0\0\0gemma3", 14),
                   std::string("\x06\0\0\0\0\0\0\0gemma9", 14)));
    changed = tiny;  // key, type u32, then the value: 32 becomes 31
    changed[changed.find("gemma3.embedding_length") + 23 + 4] = 31;
    write("wrong_shape.gguf", changed);
    changed = tiny;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(changed.data() + changed.size() - sizeof nan, &nan, sizeof nan);
    write("not_finite.gguf", changed);
    write_pipelines();
    write_hub();
    write_damaged_folders(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return text_; }

 private:
  void write_pipelines() {
    const std::string good = read(kSource + "pipelines/gemma_text.yaml");
    write("no_inputs.yaml", "model: " + kTiny + "\n" +
                                replaced(good.substr(0, good.find("inputs:")),
                                         "model: gemma-3-270m ", "# "));
    write("broken.yaml", "version: 1\nname: x\nmodle: y\n");
    write("wrong_key.yaml", replaced(good, "gemma.forward", "core.sample"));
    write("unknown_plugin.yaml",
          replaced(good, "gemma.tokenize", "gema.tokenize"));
    write("unknown_stage.yaml",
          replaced(good, "gemma.tokenize", "gemma.tokenise"));
    for (const auto& [name, stages] :
         {std::pair{"tidy.yaml",
                    "[{use: trouble.tidy}, {use: gemma.tokenize}]"},
          {"wrong_order.yaml", "[{use: gemma.tokenize}, {use: trouble.tidy}]"},
          {"no_note.yaml", "[{use: trouble.loud}, {use: gemma.tokenize}]"}}) {
      write(name, replaced(good, "{use: gemma.tokenize}", stages));
    }
    for (const char* plugin : {"foreign", "no_entry", "add_throws"}) {
      write(std::string(plugin) + ".yaml",
            replaced(good, "gemma.tokenize", plugin + std::string(".x")));
    }
  }
  /// A Hugging Face cache with one model.
  void write_hub() {
    const fs::path model = path_ / "hub" / "models--some--plain";
    const std::string commit(40, 'a');
    fs::create_directories(model / "refs");
    fs::create_directories(model / "snapshots");
    write("hub/models--some--plain/refs/main", commit);
    fs::create_directory_symlink(kSource + "tests/fixtures/folders/plain",
                                 model / "snapshots" / commit);
  }
  static std::string replaced(std::string text, const std::string& from,
                              const std::string& to) {
    const auto at = text.find(from);
    if (at == std::string::npos) throw std::logic_error("no " + from);
    return text.replace(at, from.size(), to);
  }
  void write(const std::string& name, const std::string& bytes) {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
  }
  fs::path path_;
  std::string text_ = path_.string();
};

}  // namespace

const std::string& damaged_folder() {
  static const Folder folder;
  return folder.path();
}

Ran shell(const std::string& line) {
  return run_program(
      {"/bin/bash", "-c", line},
      {"BASH_ENV=" + kSource + "tests/cli/shell.sh",
       std::string("RUN=") + PENSTOCK_RUN,
       std::string("SERVE=") + PENSTOCK_BIN + "/pipeline-serve",
       "TINY=" + kSource + "pipelines/gemma_text.yaml --set model=" + kTiny,
       "BAD=" + kSource + "tests/cli/trouble.yaml --plugin-path " +
           PENSTOCK_FIXTURE_PLUGINS + "/stages",
       "PICK=" + kSource + "tests/cli/trouble_pick.yaml --plugin-path " +
           PENSTOCK_FIXTURE_PLUGINS + "/stages",
       std::string("PLUGINS=") + PENSTOCK_FIXTURE_PLUGINS,
       "T=" + damaged_folder()});
}

Ran run_tiny(const std::string& arguments) {
  return shell("$RUN $TINY " + arguments);
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

}  // namespace penstock::cli
