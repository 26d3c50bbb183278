// core: stages that belong to no model.
#include "penstock/plugin.h"

#include "core/boxes.h"
#include "core/choices.h"
#include "core/continuous.h"
#include "core/ctc.h"
#include "core/embedding.h"
#include "core/inputs.h"
#include "core/map.h"
#include "core/mask.h"
#include "core/outputs.h"
#include "core/pad.h"
#include "core/pool.h"
#include "core/ragged.h"
#include "core/sample.h"
#include "core/score.h"
#include "core/score_report.h"
#include "core/sigmoid_labels.h"
#include "core/stack.h"
#include "core/tensor.h"
#include "core/text.h"
#include "core/top.h"
#include "core/vector.h"

PENSTOCK_PLUGIN(core, registry) {
  registry.add<penstock::core::Pad>("pad");
  registry.add<penstock::core::Boxes>("boxes");
  registry.add<penstock::core::Choices>("choices");
  registry.add<penstock::core::Continuous>("continuous");
  registry.add<penstock::core::Ctc>("ctc");
  registry.add<penstock::core::Embedding>("embedding");
  registry.add<penstock::core::Identity>("identity");
  registry.add<penstock::core::Inputs>("inputs");
  registry.add<penstock::core::Map>("map");
  registry.add<penstock::core::Mask>("mask");
  registry.add<penstock::core::Outputs>("outputs");
  registry.add<penstock::core::Pool>("pool");
  registry.add<penstock::core::Ragged>("ragged", "rows");
  registry.add<penstock::core::SampleDecode>("sample");
  registry.add<penstock::core::Score>("score");
  registry.add<penstock::core::ScoreReport>("score_report");
  registry.add<penstock::core::SigmoidLabels>("sigmoid_labels");
  registry.add<penstock::core::Stack>("stack");
  registry.add<penstock::core::Tensor>("tensor");
  registry.add<penstock::core::Text>("text");
  registry.add<penstock::core::Top>("top");
  registry.add<penstock::core::Vector>("vector");
}
