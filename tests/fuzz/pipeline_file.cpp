// The pipeline file: every fault of it is found, none of them breaks the
// reader.
#include "penstock/pipeline_file.h"

#include "tests/framework/config/fake_catalog.h"
#include "tests/fuzz/fuzz.h"

void penstock::fuzz::take(std::string_view bytes) {
  static testing::FakeCatalog catalog;
  const auto file = load_pipeline_file(file_of(bytes, "p.yaml"), catalog);
  (void)explain(file);
}
