// Names of classes, in the forms that exporters write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/model_head.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> labels(const std::string& key,
                                const std::string& text) {
  ModelHead head;
  head.metadata = {{"author", "x,y"}, {key, text}};
  return labels_of(head);
}

TEST(Labels, AreALineEach) {
  EXPECT_THAT(labels("character", "a\n,\n \nb\n"),
              ElementsAre("a", ",", " ", "b"));
}

TEST(Labels, AreBetweenCommas) {
  EXPECT_THAT(labels("labels", "cat, hot dog,bird"),
              ElementsAre("cat", "hot dog", "bird"));
}

TEST(Labels, AreAJsonList) {
  EXPECT_THAT(labels("labels", R"(["a, b", "say \"hi\""])"),
              ElementsAre("a, b", "say \"hi\""));
}

TEST(Labels, ArePythonsMap) {
  EXPECT_THAT(labels("names", "{0: 'person', 1: \"child's\"}"),
              ElementsAre("person", "child's"));
}

TEST(Labels, AreTheValuesOfAJsonMap) {
  EXPECT_THAT(labels("names", R"({"0": "person", "1": "car"})"),
              ElementsAre("person", "car"));
}

TEST(Labels, AreNotThereUnderAnotherKey) {
  EXPECT_THAT(labels("title", "a,b"), IsEmpty());
  EXPECT_THAT(labels("labels", ""), IsEmpty());
}

}  // namespace
}  // namespace penstock
