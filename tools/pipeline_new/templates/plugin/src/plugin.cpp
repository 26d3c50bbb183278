// What the library exports: its name and its stages.
#include "penstock/plugin.h"

#include "src/my_batch.h"
#include "src/my_decode.h"
#include "src/my_forward.h"
#include "src/my_postprocess.h"
#include "src/my_preprocess.h"

PENSTOCK_PLUGIN(my_plugin, registry) {
  registry.add<my_plugin::MyPreprocessStage>("my_preprocess");
  registry.add<my_plugin::MyBatchStage>("my_batch");
  registry.add<my_plugin::MyForwardStage>("my_forward");
  registry.add<my_plugin::MyDecodeStage>("my_decode");
  registry.add<my_plugin::MyPostprocessStage>("my_postprocess");
}
