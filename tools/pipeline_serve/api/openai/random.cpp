#include "pipeline_serve/api/openai/random.h"

namespace penstock::serve {

std::mt19937_64& random_engine() {
  static thread_local std::mt19937_64 engine{[] {
    std::random_device device;
    std::seed_seq seeds{device(), device(), device(), device()};
    return std::mt19937_64(seeds);
  }()};
  return engine;
}

}  // namespace penstock::serve
