// Where one writes: Enter sends, Shift+Enter begins a line, Esc stops what is
// running; with a model that listens, one can speak as well.

import {button, h} from "/dom.js";

/// {element, input, setBusy(is)}; `onsend(text)` and `onstop()` are called.
export function composer({label, placeholder, onsend, onstop, speak = null}) {
  const input = h("textarea", {rows: 1, "aria-label": label, placeholder,
    enterkeyhint: "send"});
  const go = button("main.square.send", "send", "Send", () => act());
  const stop = button("main.square.stop", "stop", "Stop", () => onstop());
  stop.hidden = true;
  let isBusy = false;

  function grow() {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, 240)}px`;
    go.disabled = input.value.trim() === "";
  }
  function act() {
    const text = input.value;
    if (isBusy || text.trim() === "") return;
    input.value = "";
    grow();
    onsend(text);
  }
  input.addEventListener("input", grow);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    act();
  });
  go.disabled = true;

  const element = h("form.composer",
      {onsubmit: (event) => event.preventDefault()},
      h("div.writing", {}, input, speak, go, stop),
      h("p.keys", {"aria-hidden": "true"},
          h("kbd", {}, "Enter"), " sends  ", h("kbd", {}, "Shift Enter"),
          " new line  ", h("kbd", {}, "Esc"), " stops"));
  return {
    element, input,
    put(text) {
      input.value = text;
      grow();
      input.focus();
    },
    setBusy(is) {
      const hadFocus = [go, stop].includes(document.activeElement);
      isBusy = is;
      go.hidden = is;
      stop.hidden = !is;
      if (hadFocus) (is ? stop : input).focus();
    },
  };
}
