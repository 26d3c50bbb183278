// Models that take texts and give something else than a text: a field for each
// input, and the answer as it is.

import {askJson} from "/api.js";
import {button, h, say} from "/dom.js";
import {textsOf} from "/models.js";

/// The page's part for a model of kind form.
export function formView(model) {
  let running = null;
  const inputs = textsOf(model);
  const fields = inputs.map((name) => h("textarea",
      {id: `${model.name}-${name}`, rows: 3}));
  const fault = h("p.fault", {role: "alert", hidden: true});
  const result = h("section.result", {"aria-label": "Result", hidden: true});
  const go = button("main", null, "Run", run);
  const element = h("div.view.form", {},
      h("header.head", {}, h("h1", {}, model.name)),
      h("div.scroll", {}, h("div.sheet", {},
          inputs.map((name, i) => h("div.setting.wide", {},
              h("label", {for: fields[i].id}, name), fields[i])),
          h("div.row", {}, go), fault, result)));
  element.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing &&
        event.target.tagName === "TEXTAREA") {
      event.preventDefault();
      run();
    }
  });

  async function run() {
    running?.abort();
    const mine = running = new AbortController();
    go.disabled = true;
    fault.hidden = true;
    const asked = Object.fromEntries(
        inputs.map((name, i) => [name, fields[i].value]));
    try {
      const body = await askJson(
          `/v1/pipelines/${encodeURIComponent(model.name)}`, {
            method: "POST", body: JSON.stringify(asked), signal: mine.signal,
            headers: {"Content-Type": "application/json"}});
      result.replaceChildren(h("section.words", {}, h("p", {}, body.text ?? "")),
          h("details.json", {}, h("summary", {}, "As JSON"),
              h("pre", {tabindex: "0"}, JSON.stringify(body, null, 2))));
      result.hidden = false;
      say(body.text ?? "", {isEnd: true});
    } catch (error) {
      if (error.name !== "AbortError") {
        fault.textContent = error.message;
        fault.hidden = false;
      }
    }
    go.disabled = false;
  }

  return {element, focus: () => fields[0].focus(), stop: () => running?.abort()};
}
