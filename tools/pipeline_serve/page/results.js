// What a pipeline made of a picture, a sound or a film, as people see it.

import {button, h, percent} from "/dom.js";
import {marksOf, timeline} from "/timeline.js";

/// Labels with bars, the likeliest first.
export function labelBars(labels) {
  return h("ol.bars", {}, labels.map(({label, score}) => {
    const bar = h("span.bar", {});
    bar.style.setProperty("--part", String(Math.max(0, Math.min(1, score))));
    return h("li", {}, h("span.label", {}, label),
        h("span.score", {}, percent(score)), h("span.track", {}, bar));
  }));
}

/// The words alone; a composition's by the names of its steps.
function texts(body) {
  const steps = Object.entries(body.steps ?? {})
      .map(([name, outcomes]) => [name, outcomes.map((o) => o.text).join("\n")])
      .filter(([name, text]) => text && !hasTimesOnly(body.steps[name]));
  if (steps.length) {
    return steps.map(([name, text]) =>
      h("section.words", {}, h("h2", {}, name), h("p", {}, text.trim())));
  }
  const isWords = body.text && !body.labels && !body.frames &&
      !hasTimesOnly([body]);
  return isWords ? [h("section.words", {}, h("p", {}, body.text.trim()))] : [];
}

/// Its text only says again when something was: labels or speech.
const hasTimesOnly = (outcomes) => outcomes.some((o) => o.frames ||
    o.segments?.some((segment) => segment.text === undefined));

function player(kind, url) {
  const media = h(kind === "audio" ? "audio" : "video",
      {controls: true, src: url, preload: "metadata", playsinline: true});
  const note = h("p.hint", {hidden: true},
      "This browser cannot play the file; the result is of the server.");
  media.addEventListener("error", () => {
    media.hidden = true;
    note.hidden = false;
  });
  return {media, note};
}

/// WebVTT of the marks that are words.
export function vtt(marks) {
  const time = (s) => new Date(Math.round(s * 1000)).toISOString().slice(11, 23);
  const clean = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;").replaceAll(/\n+/g, "\n").trim();
  return "WEBVTT\n\n" + marks.map(({begin, end, text}) =>
    `${time(begin)} --> ${time(end)}\n${clean(text)}\n`).join("\n");
}

function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], {type: "text/vtt"}));
  h("a", {href: url, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function asJson(body) {
  const pre = h("pre", {tabindex: "0", "aria-label": "The answer as JSON"});
  return h("details.json", {ontoggle: () => {
    pre.textContent ||= JSON.stringify(body, null, 2);
  }}, h("summary", {}, "As JSON"), pre);
}

function pictureResult(url, file, body) {
  return [h("div.pair", {},
      h("figure", {}, h("img", {src: url, alt: file.name}),
          h("figcaption", {}, file.name)),
      body.labels ? labelBars(body.labels) : h("p", {}, body.text ?? ""))];
}

function timedResult(kind, url, file, body) {
  const {media, note} = player(kind, url);
  const rows = marksOf(body);
  const lines = rows.flatMap(({marks}) => marks.filter((mark) => mark.isSpeech))
      .sort((a, b) => a.begin - b.begin);
  const caption = h("p.caption", {"aria-hidden": "true"});
  caption.hidden = kind === "audio" || lines.length === 0;
  media.addEventListener("timeupdate", () => {
    const now = lines.find(({begin, end}) =>
      begin <= media.currentTime && media.currentTime < end);
    caption.textContent = now?.text ?? "";
  });
  const save = lines.length === 0 ? null :
      button("quiet", "down", "Subtitles",
          () => download(file.name.replace(/\.[^.]*$/, "") + ".vtt", vtt(lines)));
  return [h("div.stage", {}, media, note, caption),
    h("div.row.between", {}, h("p.hint", {}, file.name), save),
    ...texts(body),
    ...(rows.some(({marks}) => marks.length) ? timeline(rows, media) : [])];
}

/// Fills `into`; gives one sentence for people who listen.
export function showResult(into, {kind, file, url, body}) {
  into.replaceChildren(...(kind === "image" ? pictureResult(url, file, body)
                                            : timedResult(kind, url, file, body)),
      asJson(body));
  const best = body.labels?.[0];
  return best ? `${best.label}, ${percent(best.score)}.`
              : body.text || "The result is there.";
}
