// Heads of model files: ONNX, OpenVINO, TFLite and PyTorch, told apart by their
// bytes.
#include "penstock/model_head.h"

#include "penstock/model_ports.h"
#include "tests/fuzz/fuzz.h"

void penstock::fuzz::take(std::string_view bytes) {
  const ModelHead head = read_model_head(file_of(bytes, "model.onnx"));
  (void)labels_of(head);
  (void)model_ports(head).ports();
}
