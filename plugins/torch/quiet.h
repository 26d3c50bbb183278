// libtorch's own words: nativert logs what it throws as well, and tells some
// models' signatures on stdout, which is the pipeline's.
#pragma once

namespace penstock::pt2 {

/// While it lives, what its thread writes to std::cout is dropped, and no
/// thread's log of libtorch's reaches stderr. Others write as before.
class Quiet {
 public:
  Quiet();
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;
  Quiet(Quiet&&) = delete;
  Quiet& operator=(Quiet&&) = delete;
  ~Quiet();
};

}  // namespace penstock::pt2
