#include "lib/exported/options.h"

namespace penstock::exported {

ModelPorts ports_of(const ModelHead& head, const OptionParams& params) {
  return model_ports(head, {.names = params.names,
                            .set = params.set,
                            .state = params.state,
                            .scan = params.scan,
                            .channels_last = params.channels_last,
                            .rows = params.rows});
}

}  // namespace penstock::exported
