// The extension module penstock._engine: what penstock/*.py is written with,
// and nothing that people call themselves.
#include <nanobind/nanobind.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <chrono>

#include "binding/call.h"
#include "binding/declare.h"
#include "binding/engine.h"
#include "binding/errors.h"
#include "binding/look.h"
#include "binding/values.h"
#include "penstock/sdk_version.h"

namespace penstock::python {
namespace {

FileSource source_of(std::string path, const nb::list& overrides,
                     std::vector<std::string> plugin_path,
                     std::vector<std::string> pipeline_path) {
  FileSource source{.path = std::move(path),
                    .overrides = {},
                    .plugin_path = std::move(plugin_path),
                    .pipeline_path = std::move(pipeline_path)};
  for (const nb::handle each : overrides) {
    const auto pair = nb::cast<nb::tuple>(each);
    source.overrides.push_back({.key = nb::cast<std::string>(pair[0]),
                                .value = nb::cast<std::string>(pair[1]),
                                .source = "set="});
  }
  return source;
}

Request request_of(const std::string& id, const nb::dict& inputs,
                   const nb::dict& options, double timeout,
                   const std::string& session) {
  Request request;
  request.id = id;
  request.session = session;
  for (const auto& [name, value] : inputs) {
    request.inputs[nb::cast<std::string>(name)] = value_of(value);
  }
  for (const auto& [name, value] : options) {
    request.options[nb::cast<std::string>(name)] = raw_of(value);
  }
  if (timeout > 0) {
    request.deadline =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(
                           std::chrono::duration<double>(timeout));
  }
  return request;
}

/// Null: there is no room, and `watch` will be told of it. Without a watch it
/// waits.
std::shared_ptr<Call> submit(Engine& engine, const std::string& id,
                             const nb::dict& inputs, const nb::dict& options,
                             double timeout, const std::string& session,
                             bool is_streamed, std::shared_ptr<Watch> watch) {
  free_arrays();
  Request request = request_of(id, inputs, options, timeout, session);
  while (!engine.board()->enter(watch)) {
    if (watch != nullptr) return nullptr;
    wait_interruptibly([&] { return engine.board()->wait_for_room(); });
  }
  const nb::gil_scoped_release free;
  return engine.submit(std::move(request), is_streamed, std::move(watch));
}

/// The parts, or the call's error.
nb::list parts_of(Call& call) {
  free_arrays();
  const Report& report = call.report();
  if (report.error) throw Error(*report.error);
  if (call.was_closed()) {
    throw Error(Code::kCancelled,
                "the pipeline was closed while the request ran")
        .in(Place::request(call.id()));
  }
  nb::list out;
  for (const Part& part : call.parts()) out.append(dict_of(part));
  return out;
}

nb::object next_piece(Call& call) {
  const auto piece = call.take_piece();
  if (!piece) return nb::none();
  return nb::make_tuple(piece->branch, object_of(piece->value));
}

nb::dict stats_of(Engine& engine) {
  nb::dict out;
  for (const auto& [step, stats] : engine.stats()) {
    nb::dict one;
    one["requests"] = stats.requests;
    one["failed"] = stats.failed;
    one["steps"] = stats.steps;
    one["tokens_in"] = stats.tokens_in;
    one["tokens_out"] = stats.tokens_out;
    one["reused_tokens"] = stats.reused;
    one["most_sequences"] = stats.most_sequences;
    one["open_s"] = stats.open_s;
    one["wall_s"] = stats.wall_s;
    one["forward_s"] = stats.forward_s;
    out[nb::cast(step)] = one;
  }
  return out;
}

/// By step: the ports that its requests' inputs are.
nb::dict inputs_of(const Engine& engine) {
  nb::dict out;
  for (const StepConfig& step : engine.file().steps) {
    nb::list ports;
    for (const Port& port : step.file.preprocess.front().spec->inputs) {
      ports.append(nb::make_tuple(port.name, port.dtype));
    }
    nb::list edges;
    for (const auto& [name, edge] : step.in) {
      edges.append(nb::make_tuple(name, edge.input));
    }
    out[nb::cast(step.name)] = nb::make_tuple(ports, edges);
  }
  return out;
}

void bind_call(nb::module_& module) {
  nb::class_<Watch>(module, "Watch")
      .def(nb::init<>())
      .def("fileno", &Watch::descriptor)
      .def("take", &Watch::take);
  nb::class_<Call>(module, "Call")
      .def_prop_ro("id", &Call::id)
      .def_prop_ro("number", &Call::number)
      .def_prop_ro("is_over", &Call::is_over)
      .def("cancel", &Call::cancel, nb::call_guard<nb::gil_scoped_release>())
      .def("wait",
           [](Call& call) {
             wait_interruptibly([&] { return call.wait_for_end(); });
           })
      .def("wait_piece",
           [](Call& call) {
             wait_interruptibly([&] { return call.wait_for_piece(); });
           })
      .def("next_piece", &next_piece)
      .def("finish_reason",
           [](const Call& call) { return call.report().finish_reason; })
      .def("parts", &parts_of);
}

void bind_engine(nb::module_& module) {
  nb::class_<FileSource>(module, "FileSource").def_static("make", &source_of);
  nb::class_<Engine>(module, "Engine")
      .def(nb::init<const FileSource&, int, bool>(),
           nb::call_guard<nb::gil_scoped_release>())
      .def("submit", &submit, nb::arg("id"), nb::arg("inputs"),
           nb::arg("options"), nb::arg("timeout"), nb::arg("session"),
           nb::arg("is_streamed"), nb::arg("watch").none())
      .def("hold_more", &Engine::hold_more,
           nb::call_guard<nb::gil_scoped_release>())
      .def("drop_more", &Engine::drop_more,
           nb::call_guard<nb::gil_scoped_release>())
      .def("close",
           [](Engine& engine) {
             {
               const nb::gil_scoped_release free;
               engine.close();
             }
             free_arrays();
           })
      .def("stats", &stats_of)
      .def("inputs", &inputs_of)
      .def_prop_ro(
          "in_flight",
          [](const Engine& engine) { return engine.board()->in_flight(); })
      .def_prop_ro("device", &Engine::device)
      .def_prop_ro("name",
                   [](const Engine& engine) { return engine.file().name; })
      .def_prop_ro("facts", [](const Engine& engine) {
        return dict_of(engine.facts());
      });
}

}  // namespace
}  // namespace penstock::python

// The names are nanobind's.
// NOLINTNEXTLINE
NB_MODULE(_engine, module) {
  using namespace penstock::python;  // NOLINT(google-build-using-namespace)
  // What is alive when the interpreter ends is not a leak of ours: results and
  // pipelines in global variables.
  nanobind::set_leak_warnings(false);
  bind_call(module);
  bind_engine(module);
  module.def("raise_errors_with", &raise_errors_with);
  module.def("check_file", &check_file);
  module.def("stages_of", &stages_of);
  module.def("declare_stage", &declare_stage);
}
