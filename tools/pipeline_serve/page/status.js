// What the server does now: tokens/s and its queue, from /metrics.

import {ask, key} from "/api.js";
import {byId} from "/dom.js";

const kPoints = 60;
const kWindow = 3;  // samples that a rate is taken over

const tokens = [];  // [seconds, how many so far]
const rates = Array(kPoints).fill(0);
let refused = null;  // a key that was none: to ask again would be in vain

/// The sum of a metric over its labels.
function total(text, name) {
  let sum = 0;
  for (const line of text.split("\n")) {
    if (!line.startsWith(name)) continue;
    const rest = line.slice(name.length);
    if (!/^[{ ]/.test(rest)) continue;
    sum += Number(rest.slice(rest.lastIndexOf("}") + 1).trim().split(/\s/)[0]);
  }
  return sum;
}

function draw() {
  const most = Math.max(10, ...rates);
  const points = rates.map((rate, i) => {
    const x = i * 120 / (kPoints - 1);
    return `${x.toFixed(1)},${(30.5 - 28 * rate / most).toFixed(1)}`;
  }).join(" ");
  const [area, line] = byId("spark").children;
  line.setAttribute("points", points);
  area.setAttribute("points", `0,32 ${points} 120,32`);
}

function show(text) {
  tokens.push([performance.now() / 1000,
    total(text, "penstock_generation_tokens_total")]);
  if (tokens.length > kWindow) tokens.shift();
  const [[begin, before], [end, now]] = [tokens[0], tokens.at(-1)];
  const rate = end > begin ? Math.max(0, (now - before) / (end - begin)) : 0;
  rates.push(rate);
  rates.shift();
  const shown = rate > 0 && rate < 10 ? rate.toFixed(1) : String(Math.round(rate));
  byId("rate").textContent = shown;
  byId("top-rate").textContent = rate > 0 ? `${shown} tok/s` : "";
  const running = total(text, "penstock_num_requests_running");
  const waiting = total(text, "penstock_num_requests_waiting");
  byId("running").textContent = running;
  byId("waiting").textContent = waiting;
  draw();
  return running + waiting + rate > 0;
}

async function state() {
  try {
    await ask("/health", {isQuiet: true});
    return "";
  } catch (error) {
    return error.status === 503 ? "The models are being opened." : "";
  }
}

/// Looks each second while something runs, and more seldom when nothing does
/// or nobody looks at the page.
export async function watch() {
  let isBusy = false;
  if (refused === key()) {
    setTimeout(watch, 1000);
    return;
  }
  try {
    isBusy = show(await (await ask("/metrics", {isQuiet: true})).text());
    byId("state").textContent = await state();
  } catch (error) {
    if (error.status === 401) refused = key();
    byId("rate").textContent = "–";
    byId("state").textContent =
        error.status === 0 ? "The server does not answer." : "";
  }
  const wait = document.hidden ? 10000 : isBusy ? 700 : 1500;
  setTimeout(watch, wait);
}
