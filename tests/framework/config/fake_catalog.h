// Stage types that exist only here: enough to be right and wrong with.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "penstock/pipeline_file.h"

namespace penstock::testing {

/// text.words, text.bytes | rows.packed, rows.padded | net.run, net.image |
/// rule.words, pick.best | text.join
///
/// With notes: text.tidy makes what text.split reads and needs no other stage
/// for; text.loud makes what text.report needs; text.deaf makes it as another
/// type. net.facts makes the fact that pick.end needs, and takes the input
/// that it sets.
///
/// net.any has the ports that its model's name spells: text.four gives an x,
/// pick.y takes a y.
class FakeCatalog final : public StageCatalog {
 public:
  FakeCatalog();
  const StageSpec& find(const std::string& use) override;
  [[nodiscard]] std::vector<const StageSpec*> known() const override;

 private:
  std::vector<StageSpec> specs_;
};

/// A pipeline file that has no fault; line 5 is preprocess, 9 postprocess.
[[nodiscard]] std::string good_file();

/// `text` with the first `from` replaced; throws where there is none.
[[nodiscard]] std::string replaced(std::string text, const std::string& from,
                                   const std::string& to);

/// Writes a file for the time of a test.
class TempFile {
 public:
  explicit TempFile(const std::string& text,
                    const std::string& name = "p.yaml");
  ~TempFile();
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace penstock::testing
