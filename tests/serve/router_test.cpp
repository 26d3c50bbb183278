// Which route a path means, and what it says where there is none.
#include "pipeline_serve/http/router.h"

#include <gtest/gtest.h>

namespace penstock::serve {
namespace {

Router routes() {
  Router router;
  router.add({.method = "GET", .pattern = "/v1/models/{name}", .handler = {}});
  router.add({.method = "GET", .pattern = "/v1/models", .handler = {}});
  router.add({.method = "POST", .pattern = "/v1/models", .handler = {}});
  return router;
}

TEST(Router, FindsByMethodAndPath) {
  const Router router = routes();
  EXPECT_NE(router.find("GET", "/v1/models").route, nullptr);
  EXPECT_NE(router.find("POST", "/v1/models").route, nullptr);
  const auto found = router.find("GET", "/v1/models/org%2Fname");
  ASSERT_NE(found.route, nullptr);
  EXPECT_EQ(found.parts.at("name"), "org/name");
}

TEST(Router, NamesTheMethodsOfAPath) {
  const auto found = routes().find("DELETE", "/v1/models");
  EXPECT_EQ(found.route, nullptr);
  EXPECT_EQ(found.allowed, "GET, HEAD, POST, OPTIONS");
}

TEST(Router, KnowsNoOtherPath) {
  const Router router = routes();
  for (const char* path :
       {"/", "", "*", "//", "/v1", "/v1/models/a/b", "/v1/models/%zz",
        "/v1/models/%00", "/v1/models/%4"}) {
    const auto found = router.find("GET", path);
    EXPECT_EQ(found.route, nullptr) << path;
  }
}

TEST(Errors, HaveTheShapeOfTheirProtocol) {
  HttpError error;
  error.status = 404;
  error.message = "no \"such\" model";
  error.param = "model";
  EXPECT_EQ(answer_of(error, "/v2/models/a").body,
            R"({"error":"no \"such\" model"})");
  EXPECT_EQ(answer_of(error, "/v1/models/a").body,
            R"({"error":{"message":"no \"such\" model","type":)"
            R"("invalid_request_error","param":"model","code":null}})");
}

TEST(Errors, OfTheInsideTellNothing) {
  try {
    throw Error(Code::kInternal, "/home/me/secret broke");
  } catch (...) {
    const HttpError error = caught_error();
    EXPECT_EQ(error.status, 500);
    EXPECT_EQ(error.message.find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace penstock::serve
