#include "video/frames.h"

#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/plugins/audio/support.h"
#include "tests/plugins/lib/media/film_file.h"
#include "tests/plugins/lib/media/wav_file.h"

namespace penstock::video {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Texts = std::vector<std::pair<std::string, std::string>>;

/// Four pictures a second for two seconds: 0, 0.25, ...
media::Film film() {
  media::Film film;
  film.times.clear();
  for (int i = 0; i < 8; ++i) film.times.push_back(250L * i);
  return film;
}

Request request_of(const std::string& bytes, double begin = 0,
                   double end = std::numeric_limits<double>::infinity()) {
  Request request;
  Media media;
  media.name = "a film";
  media.bytes = media::shared(bytes);
  media.begin = begin;
  media.end = end;
  request.inputs["video"] = media;
  return request;
}

std::vector<Item> run(const Texts& texts, Request request) {
  const auto params = audio::params_of<Frames>(texts);
  const Frames stage(*static_cast<const Frames::Params*>(params.get()));
  request.checked = {params};
  audio::Kept kept;
  stage.preprocess(request, {}, kept);
  return std::move(kept.items);
}

std::vector<Item> run(const Texts& texts) {
  return run(texts, request_of(to_bytes(film())));
}

std::vector<double> times_of(const std::vector<Item>& items) {
  std::vector<double> out;
  out.reserve(items.size());
  for (const Item& item : items) {
    out.push_back(std::get<double>(item.notes.at("time")));
  }
  return out;
}

std::int64_t whole(const Item& item, const std::string& note) {
  return std::get<std::int64_t>(item.notes.at(note));
}

TEST(Frames, AreOneASecondUnlessAskedOtherwise) {
  const auto items = run({});
  EXPECT_THAT(times_of(items), ElementsAre(0, 1));
  EXPECT_EQ(whole(items[1], "frame"), 4);
}

TEST(Frames, SayWhatTheyAre) {
  const auto items = run({{"fps", "2"}});
  ASSERT_EQ(items.size(), 4U);
  const auto& picture = get(items[3].inputs, "picture");
  EXPECT_EQ(picture.sizes(), at::IntArrayRef({16, 32, 3}));
  EXPECT_EQ(picture.scalar_type(), at::kByte);
  // Frame 6 is as bright as frame 1.
  EXPECT_NEAR(picture[0][0][0].item<int>(), (210 - 16) * 255 / 219.0, 2);
  EXPECT_NEAR(picture[15][31][0].item<int>(), (60 - 16) * 255 / 219.0, 2);
  EXPECT_EQ(whole(items[3], "width"), 32);
  EXPECT_EQ(whole(items[3], "height"), 16);
  EXPECT_EQ(std::get<std::string>(items[3].notes.at("path")), "a film");
  EXPECT_NEAR(std::get<double>(items[3].notes.at("video_seconds")), 1.8, 0.3);
}

TEST(Frames, AreEachNthOrAFewOfAll) {
  EXPECT_THAT(times_of(run({{"every", "3"}})), ElementsAre(0, 0.75, 1.5));
  EXPECT_EQ(run({{"count", "3"}}).size(), 3U);
  EXPECT_EQ(run({{"fps", "4"}, {"max_frames", "5"}}).size(), 5U);
}

TEST(Frames, OfARangeOfSecondsKeepTheFilmsClock) {
  const auto items =
      run({{"fps", "2"}}, request_of(to_bytes(film()), 0.5, 1.5));
  EXPECT_THAT(times_of(items), ElementsAre(0.5, 1));
  EXPECT_EQ(whole(items[0], "frame"), 2);
}

/// The sound begins at 0, the pictures at 1.5 s.
TEST(Frames, ThatBeginLateHaveTimesOfTheFilmsClock) {
  media::Film late = film();
  for (auto& time : late.times) time += 1500;
  late.sound.samples = media::even_sound(4);
  const Request request = request_of(to_bytes(late));
  EXPECT_THAT(times_of(run({}, request)), ElementsAre(2, 3));
  const auto spread = times_of(run({{"count", "2"}}, request));
  ASSERT_EQ(spread.size(), 2U);
  EXPECT_NEAR(spread[0], 1.5, 0.01);
  EXPECT_NEAR(spread[1], 2.4, 0.2);
}

TEST(Frames, OfASoundAreAnErrorOrTold) {
  const Request sound = request_of(to_bytes(
      media::Film{.times = {}, .sound = {.samples = media::even_sound(1)}}));
  EXPECT_THROW((void)run({}, sound), Error);
  EXPECT_TRUE(run({{"missing", "skip"}}, sound).empty());
}

TEST(Frames, OfAClipAreOneSample) {
  const auto items = run({{"clip", "true"}, {"count", "4"}});
  ASSERT_EQ(items.size(), 1U);
  const auto& clip = get(items[0].inputs, "clip");
  EXPECT_EQ(clip.sizes(), at::IntArrayRef({4, 16, 32, 3}));
  EXPECT_EQ(get(items[0].inputs, "frame_mask").sum().item<int>(), 4);
  EXPECT_EQ(find(items[0].inputs, "picture"), nullptr);
  EXPECT_EQ(std::get<Tokens>(items[0].notes.at("frames")).size(), 4U);
}

TEST(Frames, OfAShortClipAreFilledUp) {
  const auto items = run({{"clip", "true"}, {"count", "10"}, {"every", "2"}});
  const auto& clip = get(items.at(0).inputs, "clip");
  const auto& mask = get(items[0].inputs, "frame_mask");
  EXPECT_EQ(clip.size(0), 10);
  EXPECT_EQ(mask.scalar_type(), at::kByte);
  EXPECT_EQ(mask.narrow(0, 0, 4).sum().item<int>(), 4);
  EXPECT_EQ(mask.sum().item<int>(), 4);
  EXPECT_EQ(clip.narrow(0, 4, 6).max().item<int>(), 0);
  EXPECT_GT(clip[3].min().item<int>(), 0);
  EXPECT_THAT(std::get<Tokens>(items[0].notes.at("frames")),
              ElementsAre(0, 2, 4, 6));
}

struct Bad {
  std::string name;
  Texts texts;
  std::string text;
};
void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }

class BadParams : public ::testing::TestWithParam<Bad> {};

TEST_P(BadParams, AreRefused) {
  try {
    (void)run(GetParam().texts);
    FAIL() << "were taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().text));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadParams,
    ::testing::ValuesIn(std::vector<Bad>{
        {"two_rates",
         {{"fps", "1"}, {"every", "2"}},
         "fps and every exclude each other"},
        {"rate_and_count",
         {{"fps", "1"}, {"count", "2"}},
         "count spreads frames over the film"},
        {"clip_without_count", {{"clip", "true"}}, "needs count"},
        {"large_clip",
         {{"clip", "true"}, {"count", "1048576"}},
         "1048576 frames of 32x16 has 1610612736 bytes; the limit is"},
        {"large_pictures", {{"max_pixels", "500"}}, "the limit is 500"},
        {"long", {{"max_seconds", "1"}}, "s; the limit is 1"},
    }),
    [](const auto& param) { return param.param.name; });

TEST(Frames, SayWhatIsMissing) {
  EXPECT_THROW((void)run({}, Request{}), Error);
  try {
    (void)run({}, request_of(to_bytes(film()), 5, 6));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("'a film' has no picture between 5 and 6 s"));
  }
}

TEST(Frames, ACancelledRequestStops) {
  std::stop_source stop;
  stop.request_stop();
  Request request = request_of(to_bytes(film()));
  request.stop = stop.get_token();
  EXPECT_THROW((void)run({}, request), Cancelled);
}

}  // namespace
}  // namespace penstock::video
