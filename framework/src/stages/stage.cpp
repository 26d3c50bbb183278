// Key functions of the interfaces: one vtable and typeinfo for all plugins.
#include "penstock/batch.h"
#include "penstock/decode.h"
#include "penstock/forward.h"
#include "penstock/pipeline.h"
#include "penstock/postprocess.h"
#include "penstock/preprocess.h"
#include "penstock/rule.h"
#include "penstock/vocabulary.h"

namespace penstock {

DecodeState::~DecodeState() = default;
ItemSink::~ItemSink() = default;
RuledAnswer::~RuledAnswer() = default;
PreparedRule::~PreparedRule() = default;
Vocabulary::~Vocabulary() = default;
void ItemSink::warn(std::string /*text*/) {}
OutputSink::~OutputSink() = default;
Writer::~Writer() = default;
Probe::~Probe() = default;
ResultSink::~ResultSink() = default;
void ResultSink::part_done(const Request& /*request*/,
                           const Report& /*report*/) {}
void ResultSink::step_done(const std::string& /*step*/) {}

void Observer::item(const Request& /*request*/, const Item& /*item*/) {}
void Observer::step(const Step& /*step*/, const Result& /*result*/) {}
void Observer::decoded(const Request& /*request*/, const Decoded& /*decoded*/) {
}
void Observer::tensor(std::string_view /*name*/, const at::Tensor& /*value*/) {}
void Observer::count(std::string_view /*name*/, std::int64_t /*value*/) {}

Stage::~Stage() = default;
Footprint Stage::memory(const StageContext& /*context*/) const {
  return {.is_known = false};
}
void Stage::open(StageContext& /*context*/) {}
void Stage::close() noexcept {}

ForwardFault::ForwardFault(const std::string& text)
    : Error(Code::kInternal, text) {}
ForwardFault::~ForwardFault() = default;

std::string to_string(Closed why) {
  switch (why) {
    case Closed::kNothing:
      return "nothing";
    case Closed::kFull:
      return "full";
    case Closed::kWaited:
      return "waited";
    case Closed::kDrained:
      return "drained";
    case Closed::kRunning:
      return "running";
  }
  return "nothing";
}

std::string to_string(Finish finish) {
  switch (finish) {
    case Finish::kNo:
      return "no";
    case Finish::kStop:
    case Finish::kStopId:
      return "stop";
    case Finish::kLength:
      return "length";
    case Finish::kEnd:
      return "end";
    case Finish::kDropped:
      return "dropped";
  }
  return "no";
}

}  // namespace penstock
