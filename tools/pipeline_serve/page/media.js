// A picture, a sound or a film: dropped, chosen, pasted or spoken; then what
// the model makes of it.

import {runPipeline} from "/api.js";
import {button, h, icon, say, size} from "/dom.js";
import {showResult} from "/results.js";
import {canRecord, speakButton} from "/speak.js";

const kWords = {
  image: {one: "a picture", accept: "image/*", busy: "Looking"},
  audio: {one: "a sound", accept: "audio/*,video/*", busy: "Listening"},
  video: {one: "a film", accept: "video/*,audio/*", busy: "Watching"},
};

/// The page's part for a model that takes files.
export function mediaView(model) {
  const words = kWords[model.kind];
  let running = null;
  let shown = null;  // the object URL on show

  const chooser = h("input.unseen", {type: "file", accept: words.accept,
    tabindex: "-1", "aria-hidden": "true",
    onchange: () => {
      if (chooser.files.length) run(chooser.files[0]);
      chooser.value = "";
    }});
  const choose = button("main", null, "Choose a file", () => chooser.click());
  const hasVoice = model.kind === "audio" && canRecord();
  const speak = hasVoice ? speakButton("outline", run, fail) : null;
  const drop = h("div.drop", {}, icon(model.kind),
      h("p.drop-title", {}, title(false)),
      h("div.row", {}, choose, speak), chooser,
      h("p.hint", {}, "It goes to this server and to no other."));
  const busy = h("div.busy", {hidden: true, role: "status"},
      h("p", {}), button("quiet", null, "Stop", () => stop()),
      h("div.sweep", {}));
  const soFar = h("p.so-far", {"aria-hidden": "true", hidden: true});
  const fault = h("p.fault", {role: "alert", hidden: true});
  const result = h("section.result", {"aria-label": "Result", tabindex: "-1",
    hidden: true});
  const element = h("div.view.media", {},
      h("header.head", {}, h("h1", {}, model.name)),
      h("div.scroll", {}, h("div.sheet", {}, drop, busy, soFar, fault, result)));

  /// Fingers drop nothing.
  function title(isAgain) {
    if (isAgain) return `Or another ${words.one.split(" ")[1]}`;
    return matchMedia("(pointer: coarse)").matches ? `Choose ${words.one}`
                                                   : `Drop ${words.one} here`;
  }
  function stop() {
    running?.abort();
  }
  function fail(message) {
    fault.textContent = message;
    fault.hidden = false;
  }

  async function run(file) {
    stop();
    const mine = running = new AbortController();
    fault.hidden = true;
    result.hidden = true;
    drop.classList.add("slim");
    drop.querySelector(".drop-title").textContent = title(true);
    busy.hidden = false;
    busy.firstChild.textContent =
        `${words.busy}: ${file.name}, ${size(file.size)}`;
    try {
      const body = await runPipeline(model.name, {[model.kind]: file},
          {signal: mine.signal, ontext: listen()});
      if (running !== mine) return;
      if (shown) URL.revokeObjectURL(shown);
      shown = URL.createObjectURL(file);
      const summary = showResult(result, {kind: model.kind, file, url: shown, body});
      result.hidden = false;
      say(summary, {isEnd: true});
    } catch (error) {
      if (running === mine && error.name !== "AbortError") fail(error.message);
    }
    if (running !== mine) return;
    running = null;
    busy.hidden = true;
    soFar.hidden = true;
  }

  /// Shows the end of each step's text while the rest is still to come.
  function listen() {
    const texts = new Map();
    return (step, text) => {
      texts.set(step, ((texts.get(step) ?? "") + text).slice(-400));
      soFar.textContent = [...texts.values()]
          .map((all) => all.trim().split("\n").slice(-3).join("\n")).join("\n");
      soFar.hidden = model.kind === "image";
    };
  }

  return {
    element, stop,
    focus: () => choose.focus(),
    /// A file that was dropped or pasted anywhere on the page.
    take: run,
    setOver: (is) => drop.classList.toggle("over", is),
  };
}
