// hf:// names in a local Hugging Face cache: where they lie, and what a person
// is told when they are not there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "penstock/error.h"
#include "penstock/models.h"
#include "penstock/pipeline.h"

namespace penstock {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";

class Hub : public ::testing::Test {
 protected:
  void SetUp() override {
    home_ = fs::temp_directory_path() / ("hub_" + std::to_string(getpid()));
    snapshot_ = home_ / "hub" / "models--some--model" / "snapshots" / kCommit;
    write("models--some--model/refs/main", kCommit + "\n");
    write("models--some--model/blobs/abc", "weights");
    fs::create_directories(snapshot_);
    fs::create_symlink("../../blobs/abc", snapshot_ / "model.safetensors");
    set("HF_HOME", home_.string());
    for (const char* name : {"HF_HUB_CACHE", "HF_TOKEN", "HF_TOKEN_PATH"}) {
      unsetenv(name);  // NOLINT(concurrency-mt-unsafe)
    }
  }
  void TearDown() override { fs::remove_all(home_); }

  static void set(const char* name, const std::string& value) {
    setenv(name, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((home_ / "hub" / name).parent_path());
    std::ofstream(home_ / "hub" / name) << text;
  }
  static std::string error_of(const std::string& text, Code code) {
    try {
      (void)resolve_model(text);
      ADD_FAILURE() << text << " was found";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      return error.what();
    }
    return "";
  }

  fs::path home_, snapshot_;
};

TEST_F(Hub, FindsTheSnapshotOfARevision) {
  EXPECT_EQ(resolve_model("hf://some/model"), snapshot_);
  EXPECT_EQ(resolve_model("hf://some/model@main"), snapshot_);
  EXPECT_EQ(resolve_model("hf://some/model@" + kCommit), snapshot_);
  EXPECT_EQ(resolve_model("hf://some/model/model.safetensors"),
            snapshot_ / "model.safetensors");
  write("models--some--model/refs/v2", kCommit);
  EXPECT_EQ(resolve_model("hf://some/model@v2"), snapshot_);
  set("HF_HUB_CACHE", (home_ / "hub").string());
  set("HF_HOME", "/nowhere");
  EXPECT_EQ(resolve_model("hf://some/model"), snapshot_);
}

TEST_F(Hub, SaysHowToDownloadWhatIsMissing) {
  EXPECT_THAT(error_of("hf://other/model", Code::kNotFound),
              HasSubstr("download it with: hf download other/model"));
  EXPECT_THAT(error_of("hf://some/model@v9", Code::kNotFound),
              HasSubstr("hf download some/model --revision v9"));
  EXPECT_THAT(error_of("hf://some/model/x.gguf", Code::kNotFound),
              HasSubstr("hf download some/model x.gguf"));
  fs::remove(home_ / "hub/models--some--model/blobs/abc");
  EXPECT_THAT(error_of("hf://some/model", Code::kNotFound),
              HasSubstr("without its weights; download it with"));
}

TEST_F(Hub, SaysWhatAGatedModelNeedsAndNeverTheToken) {
  const std::string url = "https://huggingface.co/google/gemma-3-270m";
  const auto without = error_of("hf://google/gemma-3-270m", Code::kNotFound);
  EXPECT_THAT(without, HasSubstr(url));
  EXPECT_THAT(without, HasSubstr("hf auth login"));
  set("HF_TOKEN", "hf_secret");
  const auto with = error_of("hf://google/gemma-3-270m", Code::kNotFound);
  EXPECT_THAT(with, HasSubstr(url));
  EXPECT_THAT(with, HasSubstr("403"));
  EXPECT_THAT(with, Not(HasSubstr("hf auth login")));
  EXPECT_THAT(with, Not(HasSubstr("secret")));
}

TEST_F(Hub, RefusesNamesThatLeadElsewhere) {
  for (const std::string text :
       {"hf://", "hf://model", "hf://some/", "hf://../x", "hf://some/..",
        "hf://some/model@../../x", "hf://some/model@", "hf://some/model/../x",
        "hf://some/model/a/b", "hf://some/mo del", "hf:///some/model"}) {
    EXPECT_THAT(error_of(text, Code::kData), HasSubstr("expected hf://"));
  }
}

/// Containers and services start without it; tools/models looks there too.
TEST(CacheFolder, IsOfTheUserDataBaseWithoutHome) {
  for (const char* name : {"PENSTOCK_CACHE", "XDG_CACHE_HOME", "HOME"}) {
    unsetenv(name);  // NOLINT(concurrency-mt-unsafe)
  }
  const passwd* const user = getpwuid(getuid());  // NOLINT(*-mt-unsafe)
  if (user == nullptr) GTEST_SKIP() << "the data base does not know us";
  const fs::path folder = fs::path(user->pw_dir) / ".cache" / "penstock";
  EXPECT_EQ(cache_folder(), folder);
  for (const KnownModel& model : known_models()) {
    if (fs::exists(model_path(model))) continue;
    try {
      (void)resolve_model(model.name);
      ADD_FAILURE() << model.name;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(),
                  HasSubstr("HOME is not set, so it was looked for in '" +
                            folder.string()));
    }
  }
}

}  // namespace
}  // namespace penstock
