#include "pipeline_serve/api/routes.h"

namespace penstock::serve {

void add_routes(const Api& api) {
  add_health(api);
  add_page(api);
}

}  // namespace penstock::serve
