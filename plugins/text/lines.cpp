#include "text/lines.h"

#include "penstock/keys.h"
#include "penstock/media.h"
#include "text/line_source.h"
#include "text/notes.h"

namespace penstock::text {

void Lines::declare(Declaration<Lines>& d) {
  d.doc("A file of text, an item for each line")
      .input("file: media{txt,text,md,log,lst}")
      .makes(kText, kPath, kLine)
      .light();
  d.param("skip_empty", &Params::skip_empty,
          "leave out lines with nothing but spaces");
  d.param("max_bytes", &Params::max_bytes,
          "longest line in bytes; a longer one is an error")
      .range(1, 1 << 30);
}

void Lines::preprocess(const Request& request, Item in, ItemSink& out) const {
  const Media media = media_input(request, "file");
  set(in.notes, kPath, media.name);
  LineSource source(media, params_.max_bytes);
  while (auto line = source.next()) {
    const bool is_empty =
        line->find_first_not_of(" \t\v\f") == std::string::npos;
    if (is_empty && params_.skip_empty) continue;
    Item item;
    item.inputs = in.inputs;
    item.notes = in.notes;
    set(item.notes, kLine, source.line());
    set(item.notes, kText, std::move(*line));
    out.push(std::move(item));
  }
}

}  // namespace penstock::text
