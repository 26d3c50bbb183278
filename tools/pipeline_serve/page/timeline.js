// When what is seen and said: rows of marks over one axis of time, and the same
// as a list. A click on either goes there in the film.

import {clock, h, percent} from "/dom.js";

/// Pictures one after another with the same best label, as one mark.
function ofFrames(frames) {
  const marks = [];
  const gap = frames.length > 1 ? frames[1].time - frames[0].time : 1;
  for (const {time, labels} of frames) {
    const {label, score} = labels[0] ?? {label: "nothing", score: 0};
    const last = marks.at(-1);
    if (last && last.text === label) {
      last.end = time + gap;
      last.strength = Math.max(last.strength, score);
    } else {
      if (last) last.end = time;
      marks.push({begin: time, end: time + gap, text: label, strength: score});
    }
  }
  return marks;
}

const ofSegment = (segment) => ({
  begin: segment.begin ?? segment.start,
  end: segment.end,
  text: segment.text?.trim() ?? "",
  isSpeech: Boolean(segment.text?.trim()),
});

const rowOf = (name, {frames, segments}) => ({
  name, marks: [...ofFrames(frames ?? []), ...(segments ?? []).map(ofSegment)],
});

/// The rows of a pipeline's answer, or of each step's of a composition.
export function marksOf(body) {
  if (!body.steps) return [rowOf("", body)];
  return Object.entries(body.steps)
      .flatMap(([name, outcomes]) => outcomes.map((o) => rowOf(name, o)))
      .filter(({marks}) => marks.length);
}

/// Times for the axis: at most `most` of them, at round distances.
export function ticks(duration, most = 8) {
  const step = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600]
      .find((s) => duration / s <= most) ?? duration / most;
  const out = [];
  for (let t = 0; t <= duration; t += step) out.push(t);
  return out;
}

const at = (element, name, part) =>
  element.style.setProperty(name, `${(100 * part).toFixed(3)}%`);

function markButton(mark, duration, go) {
  const kind = mark.strength !== undefined ? "seen" : mark.text ? "said" : "voice";
  const what = mark.text || "somebody speaks";
  const sure = mark.strength === undefined ? "" : `, ${percent(mark.strength)}`;
  const name = `${clock(mark.begin)} to ${clock(mark.end)}: ${what}${sure}`;
  const element = h(`button.mark.${kind}`,
      {type: "button", title: name, "aria-label": name, onclick: () => go(mark)},
      mark.text.split(",")[0]);
  at(element, "left", mark.begin / duration);
  at(element, "width", Math.max(0.004, (mark.end - mark.begin) / duration));
  element.style.setProperty("--strength", String(mark.strength ?? 1));
  return element;
}

function axis(duration) {
  return h("div.axis", {"aria-hidden": "true"}, ticks(duration).map((time) => {
    const tick = h("span.tick", {}, clock(time));
    at(tick, "left", time / duration);
    return tick;
  }));
}

function list(rows, go) {
  const all = rows.flatMap(({name, marks}) =>
    marks.filter((mark) => mark.text).map((mark) => ({name, ...mark})));
  all.sort((a, b) => a.begin - b.begin);
  const hasNames = rows.length > 1;
  return {
    all,
    element: h("ol.moments", {}, all.map((mark) => h("li", {},
        h("button.time", {type: "button", onclick: () => go(mark)},
            clock(mark.begin)),
        h("span.what", {}, mark.text),
        mark.strength !== undefined ?
            h("span.score", {}, percent(mark.strength)) :
            h("span.score", {}, hasNames ? mark.name : "")))),
  };
}

/// The rows and the list; both follow the player.
export function timeline(rows, media) {
  const go = ({begin}) => {
    media.currentTime = begin;
  };
  const end = Math.max(...rows.flatMap(({marks}) => marks.map((m) => m.end)));
  const head = h("span.playhead", {"aria-hidden": "true"});
  const plot = h("div.plot", {role: "group", "aria-label": "Timeline"});
  const {all, element} = list(rows, go);

  function draw() {
    const duration = Math.max(end, Number.isFinite(media.duration) ?
      media.duration : 0, 0.1);
    plot.replaceChildren(...rows.map(({name, marks}) => h("div.lane", {},
        name ? h("span.lane-name", {}, name) : null,
        h("div.lane-marks", {},
            marks.map((mark) => markButton(mark, duration, go))))),
    axis(duration), head);
    follow();
    function follow() {
      head.style.setProperty("--at", String(media.currentTime / duration));
      all.forEach(({begin, end: last}, i) => {
        const isNow = begin <= media.currentTime && media.currentTime < last;
        element.children[i].classList.toggle("now", isNow && !media.paused);
      });
    }
    media.ontimeupdate = follow;
  }
  media.addEventListener("loadedmetadata", draw);
  draw();
  plot.classList.toggle("named", rows.some(({name}) => name));
  // Words alone are read in the list; a row of them says nothing more.
  const isWords = rows.length === 1 && rows[0].marks.every((m) => m.isSpeech);
  return isWords ? [element] : [plot, element];
}
