// image: pictures in, pixels or patches out.
#include "penstock/plugin.h"

#include "image/draw_boxes.h"
#include "image/draw_mask.h"
#include "image/fit.h"
#include "image/labels.h"
#include "image/load.h"
#include "image/patches.h"
#include "image/save.h"
#include "image/text_boxes.h"
#include "image/turn.h"

PENSTOCK_PLUGIN(image, registry) {
  registry.add<penstock::image::Load>("load");
  registry.add<penstock::image::Fit>("fit");
  registry.add<penstock::image::Patches>("patches");
  registry.add<penstock::image::Labels>("labels");
  registry.add<penstock::image::DrawBoxes>("draw_boxes");
  registry.add<penstock::image::DrawMask>("draw_mask");
  registry.add<penstock::image::Save>("save");
  registry.add<penstock::image::TextBoxes>("text_boxes");
  registry.add<penstock::image::Turn>("turn");
}
