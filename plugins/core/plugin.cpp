// core: stages that belong to no model.
#include "penstock/plugin.h"

#include "continuous.h"
#include "embedding.h"
#include "pad.h"
#include "pool.h"
#include "rows.h"
#include "sample.h"
#include "score.h"
#include "score_report.h"
#include "stack.h"
#include "top.h"

PENSTOCK_PLUGIN(core, registry) {
  registry.add<penstock::core::Pad>("pad");
  registry.add<penstock::core::Continuous>("continuous");
  registry.add<penstock::core::Embedding>("embedding");
  registry.add<penstock::core::Pool>("pool");
  registry.add<penstock::core::Rows>("rows");
  registry.add<penstock::core::SampleDecode>("sample");
  registry.add<penstock::core::Score>("score");
  registry.add<penstock::core::ScoreReport>("score_report");
  registry.add<penstock::core::Stack>("stack");
  registry.add<penstock::core::Top>("top");
}
