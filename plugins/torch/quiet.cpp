#include "torch/quiet.h"

#include <c10/util/Logging.h>

#include <iostream>
#include <mutex>
#include <streambuf>

namespace penstock::pt2 {
namespace {

/// Above the level of errors.
constexpr int kSilent = 4;
thread_local int quiet_calls = 0;

/// Hands on what threads write that are not quiet.
class LoudOnly final : public std::streambuf {
 public:
  explicit LoudOnly(std::streambuf* to) : to_(to) {}

 protected:
  int_type overflow(int_type c) override {
    if (quiet_calls > 0 || c == traits_type::eof()) {
      return traits_type::not_eof(c);
    }
    return to_->sputc(traits_type::to_char_type(c));
  }
  std::streamsize xsputn(const char* text, std::streamsize count) override {
    return quiet_calls > 0 ? count : to_->sputn(text, count);
  }
  int sync() override { return to_->pubsync(); }

 private:
  std::streambuf* to_;
};

}  // namespace

Quiet::Quiet() {
  static std::once_flag once;
  std::call_once(once, [] {
    FLAGS_caffe2_log_level = kSilent;
    // Never freed: std::cout is flushed after every destructor.
    std::cout.rdbuf(new LoudOnly(std::cout.rdbuf()));
  });
  ++quiet_calls;
}

Quiet::~Quiet() { --quiet_calls; }

}  // namespace penstock::pt2
