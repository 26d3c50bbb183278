// The same pipeline on each device that is here: one word of the file changes.
//
//   example_swap_devices pipelines/gemma_text.yaml [model.gguf]
#include <chrono>
#include <iostream>

#include "penstock/plugin_host.h"
#include "penstock/runner.h"

namespace {

using namespace penstock;  // NOLINT(google-build-using-namespace): an example

void run_on(const std::string& device, const std::string& path,
            const std::string& model) {
  PluginHost plugins(PluginHost::search_path());
  std::vector<Override> overrides{{"device", device, "example"}};
  if (!model.empty()) overrides.push_back({"model", model, "example"});
  Runner runner(load_file(path, plugins, overrides));
  Request request;
  request.inputs["text"] = "The capital of France is";
  request.options["max_new_tokens"] = RawScalar{"8"};
  const Time start = Clock::now();
  const Outcome answer = runner.run(request);
  const std::chrono::duration<double, std::milli> took = Clock::now() - start;
  std::cout << runner.device() << ", " << took.count()
            << " ms:" << answer.text() << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "name a pipeline file\n";
    return static_cast<int>(Code::kUsage);
  }
  int code = 0;
  for (const char* device : {"cpu", "cuda"}) {
    try {
      run_on(device, argv[1], argc > 2 ? argv[2] : "");
    } catch (const Error& error) {
      std::cout << device << ": " << error.text() << "\n";
      // A machine without a GPU is no fault.
      if (error.code() != Code::kUnavailable) code = 1;
    } catch (const std::exception& error) {
      std::cout << device << ": " << error.what() << "\n";
      code = 1;
    }
  }
  return code;
}
