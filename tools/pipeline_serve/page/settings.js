// How an answer is sampled. What is left empty is not sent: then the pipeline's
// own value holds.

import {button, h} from "/dom.js";

const kFields = [
  {name: "temperature", label: "Temperature", min: 0, max: 2,
    hint: "0 always takes the likeliest token"},
  {name: "top_p", label: "Top p", min: 0, max: 1,
    hint: "from the likeliest that make up this share"},
  {name: "top_k", label: "Top k", min: 1, isWhole: true,
    hint: "from so many of the likeliest"},
  {name: "max_tokens", label: "Most tokens", min: 1, isWhole: true,
    hint: "where the answer ends at the latest"},
  {name: "seed", label: "Seed", min: 0, isWhole: true,
    hint: "the same one gives the same answer"},
];

function numberField(field, id) {
  const input = h("input", {
    id, type: "number", inputmode: "decimal", min: field.min, max: field.max,
    step: field.isWhole ? 1 : "any", placeholder: "default", "aria-describedby": `${id}-hint`,
  });
  return {
    input,
    element: h("div.setting", {},
        h("label", {for: id}, field.label),
        input,
        h("p.hint", {id: `${id}-hint`}, field.hint)),
  };
}

/// {element, values(), system(), fault(), first()}
export function settings({name, hasSystem, initial = {}, onclose}) {
  const inputs = {};
  const rows = kFields.map((field) => {
    const {input, element} = numberField(field, `${name}-${field.name}`);
    input.value = initial[field.name] ?? "";
    inputs[field.name] = input;
    return element;
  });
  const system = h("textarea", {id: `${name}-system`, rows: 4,
    placeholder: "Who should it be, and how should it answer?"});
  const reset = button("quiet", null, "Back to defaults", () => {
    for (const field of kFields) {
      inputs[field.name].value = initial[field.name] ?? "";
    }
    system.value = "";
  });
  const element = h("aside.settings",
      {"aria-label": "Settings", hidden: true, id: `${name}-settings`},
      h("div.row.between", {}, h("h2", {}, "Settings"),
          button("quiet.square", "close", "Close settings", () => onclose())),
      hasSystem ? h("div.setting.wide", {},
          h("label", {for: system.id}, "System text"), system) : null,
      rows, reset);
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    onclose();
  });

  return {
    element,
    system: () => system.value.trim(),
    /// The first field whose content cannot be a value.
    fault: () => Object.values(inputs).find((i) => !i.checkValidity()),
    values() {
      const out = {};
      for (const {name: key} of kFields) {
        const input = inputs[key];
        if (input.value !== "") out[key] = input.valueAsNumber;
      }
      return out;
    },
    first: () => (hasSystem ? system : inputs.temperature),
  };
}
