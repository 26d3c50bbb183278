// Runs a pipeline from C++: open it, read an answer as it comes, take one as a
// value, cancel one.
//
//   example_run_from_cpp pipelines/gemma_text.yaml [model.gguf]
#include <iostream>

#include "penstock/plugin_host.h"
#include "penstock/runner.h"

namespace {

void run(const std::string& path, const std::string& model) {
  penstock::PluginHost plugins(penstock::PluginHost::search_path());
  std::vector<penstock::Override> overrides;
  if (!model.empty()) overrides.push_back({"model", model, "argument"});
  penstock::Runner runner(penstock::load_file(path, plugins, overrides));

  penstock::Request request;
  request.id = "short";
  request.inputs["text"] = "The capital of France is";
  request.options["max_new_tokens"] = penstock::RawScalar{"8"};
  // Called on a writer thread, one call at a time.
  const auto print = [](const penstock::Value& piece, int /*branch*/) {
    std::cout << std::get<std::string>(piece) << std::flush;
  };
  runner.submit(request, print);
  runner.drain();

  const penstock::Outcome whole = runner.run(request);
  std::cout << "\n[the same as a value:" << whole.text() << ", "
            << whole.report.finish_reason << " after "
            << whole.report.token_ids.size() << " tokens]\n";

  request.id = "cancelled";
  request.options["max_new_tokens"] = penstock::RawScalar{"400"};
  auto stop = runner.submit(request, print);
  stop.request_stop();  // ends within a step; what there is was printed
  runner.drain();
  std::cout << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 2) throw penstock::Error(penstock::Code::kUsage, "name a file");
    run(argv[1], argc > 2 ? argv[2] : "");
    return 0;
  } catch (const penstock::Error& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
