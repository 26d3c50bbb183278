// hf://org/name[@revision][/file]: models in the local Hugging Face cache,
// which is only read.
//
//   $HF_HUB_CACHE/models--org--name/refs/main            a commit
//   $HF_HUB_CACHE/models--org--name/snapshots/<commit>/  the files
#include <algorithm>
#include <cctype>
#include <fstream>
#include <string_view>

#include "models/home.h"
#include "penstock/error.h"
#include "penstock/models.h"

namespace penstock {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kScheme = "hf://";

fs::path hub_home() {
  if (const auto home = environment("HF_HOME"); !home.empty()) return home;
  if (const auto xdg = environment("XDG_CACHE_HOME"); !xdg.empty()) {
    return fs::path(xdg) / "huggingface";
  }
  return home_folder() / ".cache" / "huggingface";
}

fs::path hub_cache() {
  if (const auto cache = environment("HF_HUB_CACHE"); !cache.empty()) {
    return cache;
  }
  return hub_home() / "hub";
}

/// Whether somebody logged in; what the token is, nobody needs to know.
bool has_token() {
  if (!environment("HF_TOKEN").empty()) return true;
  const auto path = environment("HF_TOKEN_PATH");
  return fs::exists(path.empty() ? hub_home() / "token" : fs::path(path));
}

struct Reference {
  std::string organisation, name, revision, file;
};

/// A part of a name: nothing that leads to another folder.
bool is_plain(std::string_view part) {
  constexpr std::size_t kMost = 96;
  const auto is_good = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
  };
  return !part.empty() && part.size() <= kMost && part.front() != '.' &&
         std::all_of(part.begin(), part.end(), is_good);
}

std::string take(std::string& text, char end) {
  const auto at = text.find(end);
  std::string part = text.substr(0, at);
  text.erase(0, at == std::string::npos ? at : at + 1);
  return part;
}

Reference parse(const std::string& text) {
  Reference found;
  std::string rest = text.substr(kScheme.size());
  found.organisation = take(rest, '/');
  std::string model = take(rest, '/');
  const bool has_revision = model.find('@') != std::string::npos;
  found.name = take(model, '@');
  found.revision = has_revision ? model : "main";
  found.file = rest;
  if (!is_plain(found.organisation) || !is_plain(found.name) ||
      !is_plain(found.revision) ||
      (!found.file.empty() && !is_plain(found.file))) {
    throw Error(Code::kData, str("'", text,
                                 "': expected hf://organisation/name, and "
                                 "behind it @revision, /file or both; letters, "
                                 "digits and ._- only"));
  }
  return found;
}

std::string download_command(const Reference& model) {
  return str("hf download ", model.organisation, "/", model.name,
             model.file.empty() ? "" : " ", model.file,
             model.revision == "main" ? "" : " --revision ",
             model.revision == "main" ? "" : model.revision);
}

[[noreturn]] void fail_missing(const std::string& text, const Reference& model,
                               const std::string& what) {
  std::string advice = "; download it with: " + download_command(model);
  if (model.organisation == "google") {
    advice +=
        str("; this model is gated: accept its terms at "
            "https://huggingface.co/",
            model.organisation, "/", model.name,
            has_token() ? " first (error 403 means you have not)"
                        : " first, and log in with: hf auth login "
                          "(error 401 means you have not)");
  }
  throw Error(Code::kNotFound, str("'", text, "' ", what, advice));
}

/// The commit that a revision means; itself where nothing else is known.
std::string commit_of(const fs::path& folder, const std::string& revision) {
  constexpr std::size_t kCommitBytes = 40;
  std::string commit(kCommitBytes, '\0');
  std::ifstream in(folder / "refs" / revision, std::ios::binary);
  in.read(commit.data(), kCommitBytes);
  return in && is_plain(commit) ? commit : revision;
}

bool has_weights(const fs::path& folder) {
  const auto is_weights = [](const fs::directory_entry& entry) {
    const auto extension = entry.path().extension();
    // What is linked may be missing: a download that was broken off.
    return (extension == ".safetensors" || extension == ".gguf") &&
           entry.exists();
  };
  return std::any_of(fs::directory_iterator(folder), fs::directory_iterator(),
                     is_weights);
}

}  // namespace

bool is_hub_model(const std::string& text) { return text.starts_with(kScheme); }

fs::path hub_model_path(const std::string& text) {
  const Reference model = parse(text);
  const fs::path folder =
      hub_cache() / str("models--", model.organisation, "--", model.name);
  if (!fs::is_directory(folder)) {
    fail_missing(
        text, model,
        str("is not in the Hugging Face cache '", hub_cache().string(), "'"));
  }
  const fs::path snapshot =
      folder / "snapshots" / commit_of(folder, model.revision);
  if (!fs::is_directory(snapshot)) {
    fail_missing(text, model,
                 str("is in the Hugging Face cache, but not its revision '",
                     model.revision, "'"));
  }
  const bool is_here = model.file.empty() ? has_weights(snapshot)
                                          : fs::exists(snapshot / model.file);
  if (!is_here) {
    fail_missing(text, model,
                 "is in the Hugging Face cache without its weights");
  }
  return model.file.empty() ? snapshot : snapshot / model.file;
}

}  // namespace penstock
