// text: files of text as items.
#include "penstock/plugin.h"

#include "text/bytes.h"
#include "text/csv.h"
#include "text/lines.h"

PENSTOCK_PLUGIN(text, registry) {
  registry.add<penstock::text::Lines>("lines");
  registry.add<penstock::text::Csv>("csv");
  registry.add<penstock::text::Bytes>("bytes");
}
