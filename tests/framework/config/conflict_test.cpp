#include "config/conflict.h"

#include <gmock/gmock.h>

#include <stdexcept>

#include "penstock/error.h"

namespace penstock::config {
namespace {

struct Params {
  std::int64_t low = 0;
};

StageSpec stage_of_role(std::string (*check)(const Params&)) {
  ParamList<Params> params;
  params.check(check);
  StageSpec spec;
  spec.name = "toy.split";
  spec.params = params.take();
  return spec;
}

TEST(Conflict, IsWhatTheStageSays) {
  const Params params;
  EXPECT_EQ(conflict_of(stage_of_role([](const Params&) -> std::string {
                          return "too low";
                        }),
                        &params),
            "too low");
}

/// Whatever it is that the plugin's code throws.
TEST(Conflict, NamesPluginAndStageOfACheckThatThrows) {
  const Params params;
  const auto text = [&params](std::string (*check)(const Params&)) {
    try {
      return conflict_of(stage_of_role(check), &params);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInternal);
      return error.text();
    }
  };
  EXPECT_EQ(text([](const Params&) -> std::string {
              throw std::runtime_error("no table");
            }),
            "plugin 'toy': the check of the params of its stage 'toy.split' "
            "threw: no table; that is for the plugin's author to mend");
  EXPECT_THAT(text([](const Params&) -> std::string { throw 3; }),
              testing::HasSubstr("threw: what is no std::exception"));
}

}  // namespace
}  // namespace penstock::config
