// pipeline-serve tells of a stage that hangs as pipeline-run does: which, whose
// request, where its thread is, how full its queues are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/support.h"

namespace penstock::cli {
namespace {

using ::testing::HasSubstr;

TEST(Stall, OfAServedPipelineTellsItsPlaceAndQueues) {
  const Ran ran = shell(R"(
    $SERVE $BAD --set trouble.forward.how=hang --port 0 --stall-timeout 0.3 \
      --drain-timeout 0 2>$T/serve.log & pid=$!
    trap 'kill -9 $pid' EXIT
    for i in $(seq 100); do
      sleep 0.1
      grep -q '^pipeline-serve: ready' $T/serve.log && break
    done
    url=$(sed -n 's/.*listening on //p' $T/serve.log)
    curl -s -m 3 "$url/v1/pipelines/trouble" -H 'Content-Type: application/json' -d '{"text": "Hi"}'
    cat $T/serve.log)");
  EXPECT_THAT(ran.out, HasSubstr("pipeline-serve: stage 'forward' "
                                 "(trouble.model) has not returned for 0."));
  EXPECT_THAT(ran.out, HasSubstr(", request '"));
  EXPECT_THAT(ran.out, HasSubstr("\n  at "));
  EXPECT_THAT(ran.out, HasSubstr("running: 1 of "));
}

}  // namespace
}  // namespace penstock::cli
