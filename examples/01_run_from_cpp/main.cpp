// Runs a pipeline from C++: open it, submit requests, read their text as it
// comes, cancel one.
//
//   example_run_from_cpp pipelines/gemma_text.yaml [model.gguf]
#include <iostream>

#include "penstock/parallel.h"
#include "penstock/pipeline.h"
#include "penstock/plugin_host.h"

namespace {

/// Prints what it gets. Called on a writer thread, one call at a time.
class Print final : public penstock::ResultSink {
 public:
  void piece(const penstock::Request& /*request*/, const penstock::Value& value,
             int /*branch*/, bool /*is_final*/) override {
    std::cout << std::get<std::string>(value) << std::flush;
  }
  void done(const penstock::Request& request,
            const penstock::Report& report) override {
    std::cout << "\n[" << request.id << ": " << report.finish_reason
              << " after " << report.token_ids.size() << " tokens]\n";
  }
};

void run(const std::string& path, const std::string& model) {
  penstock::PluginHost plugins(penstock::PluginHost::search_path());
  std::vector<penstock::Override> overrides;
  if (!model.empty()) overrides.push_back({"model", model, "argument"});
  penstock::Pipeline pipeline(
      penstock::load_pipeline_file(path, plugins, overrides));

  penstock::Request request;
  request.id = "short";
  request.inputs["text"] = "The capital of France is";
  request.options["max_new_tokens"] = penstock::RawScalar{"8"};
  pipeline.submit(request, std::make_shared<Print>());
  pipeline.drain();

  request.id = "cancelled";
  request.options["max_new_tokens"] = penstock::RawScalar{"400"};
  auto stop = pipeline.submit(request, std::make_shared<Print>());
  stop.request_stop();  // ends within a step; what there is was printed
  pipeline.drain();
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
