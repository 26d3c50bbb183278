// The page is in the program, byte for byte, and says what it may do.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>

#include "pipeline_serve/api/page_files.h"
#include "pipeline_serve/api/routes.h"

namespace penstock::serve {
namespace {

const std::filesystem::path kFolder =
    PENSTOCK_SOURCE_DIR "/tools/pipeline_serve/page";

TEST(PageFiles, AreThoseOfTheFolder) {
  std::set<std::string> wanted, got;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    wanted.insert(entry.path().filename().string());
  }
  for (const PageFile& file : page_files()) {
    got.insert(std::string(file.name));
    std::ifstream in(kFolder / file.name, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(file.bytes, bytes) << file.name;
  }
  EXPECT_EQ(got, wanted);
}

class KeptPage : public Reply {
 public:
  void send(Answer answer) override { sent = std::move(answer); }
  void begin(Answer) override {}
  void write(std::string) override {}
  void end() override {}
  [[nodiscard]] bool has_begun() const override { return sent.has_value(); }
  void on_gone(std::function<void()>) override {}

  std::optional<Answer> sent;
};

Answer page(const std::string& path) {
  Router router;
  Metrics metrics;
  Models models;
  add_page({.router = router, .models = models, .metrics = metrics});
  const auto found = router.find("GET", path);
  if (found.route == nullptr)
    return {.status = 404, .type = {}, .body = {}, .fields = {}};
  EXPECT_TRUE(found.route->is_open);
  auto kept = std::make_shared<KeptPage>();
  found.route->handler({.request = {}, .parts = {}, .reply = kept});
  return kept->sent.value();
}

TEST(Page, IsServedWithItsPolicy) {
  const Answer answer = page("/");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.type, "text/html; charset=utf-8");
  const auto policy = answer.fields.get("content-security-policy");
  EXPECT_NE(policy.find("default-src 'none'"), policy.npos);
  EXPECT_EQ(policy.find("unsafe"), policy.npos);
  EXPECT_EQ(policy.find("http"), policy.npos);
  EXPECT_EQ(answer.fields.get("referrer-policy"), "no-referrer");
}

TEST(Page, HasTypesThatBrowsersRun) {
  EXPECT_EQ(page("/page.js").type, "text/javascript; charset=utf-8");
  EXPECT_EQ(page("/page.css").type, "text/css; charset=utf-8");
  EXPECT_EQ(page("/icon.svg").type, "image/svg+xml");
  EXPECT_EQ(page("/index.html").status, 404);
  EXPECT_EQ(page("/nothing.js").status, 404);
}

}  // namespace
}  // namespace penstock::serve
