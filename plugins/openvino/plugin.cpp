// openvino: ONNX, OpenVINO and TFLite models, run by OpenVINO.
#include "penstock/plugin.h"

#include "openvino/forward.h"

PENSTOCK_PLUGIN(openvino, registry) {
  registry.add<penstock::openvino::OpenvinoForward>("forward");
}
