// Fields of a form as a handler reads them.
#include "pipeline_serve/api/uploads/form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/serve/forms.h"

namespace penstock::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// What it says of what it refuses.
HttpError refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const HttpError& error) {
    EXPECT_EQ(error.status, 400);
    return error;
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

TEST(Form, ReadsFields) {
  const HttpRequest request = upload({{"model", "w"},
                                      {"stream", "true"},
                                      {"temperature", "0.5"},
                                      {"kinds[]", "a"},
                                      {"kinds[]", "b"},
                                      {"file", "bytes", "x.wav"}});
  const Form form(request);
  EXPECT_EQ(form.text("model"), "w");
  EXPECT_EQ(form.text("other"), std::nullopt);
  EXPECT_TRUE(form.flag("stream"));
  EXPECT_FALSE(form.flag("other"));
  EXPECT_EQ(form.real("temperature", 0, 1), 0.5);
  EXPECT_THAT(form.texts("kinds"), ElementsAre("a", "b"));
  const Media media = form.file("file");
  EXPECT_EQ(media.name, "x.wav");
  EXPECT_EQ(*media.bytes, "bytes");
}

TEST(Form, NamesTheFieldAtFault) {
  const HttpRequest request = upload({{"twice", "1"},
                                      {"twice", "2"},
                                      {"bytes", "\xFF"},
                                      {"number", "1e9"},
                                      {"word", "hot"},
                                      {"nan", "nan"},
                                      {"empty", "", "x.wav"},
                                      {"file", "a", "x.wav"}});
  const Form form(request);
  EXPECT_EQ(refusal([&] { (void)form.text("twice"); }).param, "twice");
  EXPECT_EQ(refusal([&] { (void)form.text("bytes"); }).param, "bytes");
  EXPECT_EQ(refusal([&] { (void)form.text("file"); }).param, "file");
  EXPECT_EQ(refusal([&] { (void)form.flag("word"); }).param, "word");
  for (const char* name : {"number", "word", "nan"}) {
    EXPECT_EQ(refusal([&] { (void)form.real(name, 0, 1); }).param, name);
  }
  for (const char* name : {"empty", "missing", "word", "twice"}) {
    EXPECT_EQ(refusal([&] { (void)form.file(name); }).param, name);
  }
}

TEST(Form, KnowsItsFields) {
  const HttpRequest request = upload({{"langauge", "en"}});
  const Form form(request);
  form.check_names({"langauge"});
  const HttpError error = refusal([&] {
    form.check_names({"language", "model"});
  });
  EXPECT_EQ(error.param, "langauge");
  EXPECT_THAT(error.message, HasSubstr("did you mean 'language'"));
}

}  // namespace
}  // namespace penstock::serve
