// Names of classes out of the model's own file.
#include "lib/labels/label_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/plugins/openvino/support.h"

namespace penstock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Labels, AreThoseOfTheModelWhereAsked) {
  EXPECT_THAT(labels::labels_named("model", model("affine.onnx")),
              ElementsAre("cat", "dog", "bird"));
}

TEST(Labels, ThatTheModelDoesNotSayAreAnError) {
  try {
    (void)labels::labels_named("model", model("encoder.onnx"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.text(), HasSubstr("(it has: no metadata)"));
  }
}

}  // namespace
}  // namespace penstock::testing
