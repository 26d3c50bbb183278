// grammar: answers that a program can read.
#include "penstock/plugin.h"

#include "grammar/rule.h"
#include "grammar/tools_rule.h"

PENSTOCK_PLUGIN(grammar, registry) {
  registry.add<penstock::grammar::GrammarRule>("rule");
  registry.add<penstock::grammar::ToolsRule>("tools");
}
