// text: files of text as items, and text as tokens.
#include "penstock/plugin.h"

#include "text/bytes.h"
#include "text/csv.h"
#include "text/lines.h"
#include "text/wordpiece.h"

PENSTOCK_PLUGIN(text, registry) {
  registry.add<penstock::text::Lines>("lines");
  registry.add<penstock::text::Csv>("csv");
  registry.add<penstock::text::Bytes>("bytes");
  registry.add<penstock::text::WordPiece>("wordpiece");
}
