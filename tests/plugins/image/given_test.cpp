// Pixels that a program hands in: the same as those of the file they are from.
#include "image/given.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "image/decode.h"
#include "image/load.h"
#include "tests/plugins/image/support.h"

namespace penstock::image {
namespace {

using testing::HasSubstr;

class KeptGiven final : public ItemSink {
 public:
  void push(Item item) override { items.push_back(std::move(item)); }
  std::vector<Item> items;
};

Request request_with(const at::Tensor& pixels,
                     const std::string& name = "image") {
  Request request;
  request.inputs["image"] = Tensors{{name, pixels}};
  return request;
}

at::Tensor loaded(const Request& request) {
  KeptGiven kept;
  Load({}).preprocess(request, {}, kept);
  return kept.items.at(0).inputs.at(0).second;
}

TEST(Given, PixelsAreSeenAsTheirFileIs) {
  Media media;
  media.name = "flag.png";
  media.bytes = std::make_shared<const std::string>(fixture("flag.png"));
  Request file;
  file.inputs["image"] = media;
  const auto pixels = decode(*media.bytes, {}).pixels;
  const at::Tensor seen = loaded(request_with(pixels));
  EXPECT_GT(seen.numel(), 0);
  EXPECT_TRUE(seen.equal(loaded(file)));
}

TEST(Given, RgbIsTheCallersOwnMemory) {
  const auto pixels = at::zeros({2, 3, 3}, at::kByte);
  const auto given = given_pixels(request_with(pixels), "image", 6);
  EXPECT_EQ(given.value().data_ptr(), pixels.data_ptr());
}

TEST(Given, GreyBecomesRgb) {
  auto grey = at::zeros({2, 3}, at::kByte);
  grey.mutable_data_ptr<std::uint8_t>()[4] = 200;
  const auto given = given_pixels(request_with(grey), "image", 6).value();
  EXPECT_EQ(given.sizes(), (at::IntArrayRef{2, 3, 3}));
  EXPECT_EQ(given.const_data_ptr<std::uint8_t>()[14], 200);
}

TEST(Given, AFileIsNone) {
  Request request;
  request.inputs["image"] = "flag.png";
  EXPECT_FALSE(given_pixels(request, "image", 1).has_value());
}

struct GivenCase {
  std::string name;
  at::Tensor pixels;
  std::string input, told;
};
void PrintTo(const GivenCase& c, std::ostream* out) { *out << c.name; }

class Refused : public testing::TestWithParam<GivenCase> {};
TEST_P(Refused, WithWhatWasExpected) {
  const auto& c = GetParam();
  try {
    (void)given_pixels(request_with(c.pixels, c.input), "image", 100);
    FAIL() << "was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.what(), HasSubstr(c.told));
  }
}
INSTANTIATE_TEST_SUITE_P(
    Table, Refused,
    testing::ValuesIn<GivenCase>({
        {"Floats", at::zeros({2, 2, 3}, at::kFloat), "image", "not float"},
        {"TwoChannels", at::zeros({2, 2, 2}, at::kByte), "image", "[2, 2, 2]"},
        {"ChannelsFirst", at::zeros({3, 9, 9}, at::kByte), "image", "rgb"},
        {"Nothing", at::zeros({0, 2, 3}, at::kByte), "image", "[0, 2, 3]"},
        {"TooMany", at::zeros({11, 10, 3}, at::kByte), "image",
         "11 x 10 pixels; at most 100"},
        {"OtherName", at::zeros({2, 2, 3}, at::kByte), "picture",
         "another name"},
    }),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace penstock::image
