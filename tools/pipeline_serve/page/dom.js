// Elements from text. Nothing here, or in any other file of the page, reads
// text as HTML: what a model writes is shown as it is.

/// h("p.note", {id: "a", onclick: f}, "text", element)
export function h(name, props = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) {
      element.addEventListener(key.slice(2), value);
    } else {
      element.setAttribute(key, value === true ? "" : String(value));
    }
  }
  element.append(...children.flat().filter((child) => child !== null));
  return element;
}

const kSvg = "http://www.w3.org/2000/svg";

/// One of index.html's symbols.
export function icon(name) {
  const svg = document.createElementNS(kSvg, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(kSvg, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/// A button with an icon and a name; `.square` hides the name from the eye.
export function button(kind, iconName, name, onclick) {
  const isSquare = kind.includes("square");
  return h(`button.${kind}`,
      {type: "button", onclick, title: isSquare ? name : null},
      iconName ? icon(iconName) : null,
      h(isSquare ? "span.unseen" : "span", {}, name));
}

export const byId = (id) => document.getElementById(id);

let heard = "";

/// Reads an answer to people who listen: sentence by sentence, for single
/// tokens would be read as pieces of words.
export function say(piece, {isEnd = false} = {}) {
  heard += piece;
  const end = isEnd ? heard.length : heard.search(/[.!?:\n][^.!?:\n]*$/) + 1;
  if (!end) return;
  const sentence = heard.slice(0, end).trim();
  heard = heard.slice(end);
  if (sentence) byId("said").textContent = sentence;
}

/// 83.4 -> "1:23"
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const two = (n) => String(n).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${two(whole % 60)}`
                      : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/// 0.9506 -> "95 %", 0.0304 -> "3.0 %"
export const percent = (part) => `${(part * 100).toFixed(part < 0.0995 ? 1 : 0)} %`;

/// 2097152 -> "2.1 MB"
export function size(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB`
                     : `${(bytes / 1e6).toFixed(1)} MB`;
}
