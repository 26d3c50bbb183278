// Which models are there, and what the page can do with each.

import {askJson} from "/api.js";

/// What people see of a kind of model.
export const kinds = {
  chat: {icon: "chat", takes: "talks"},
  text: {icon: "text", takes: "goes on with a text"},
  image: {icon: "image", takes: "looks at a picture"},
  audio: {icon: "audio", takes: "listens to sound"},
  video: {icon: "video", takes: "watches a film"},
  form: {icon: "form", takes: "takes texts"},
};

const kMedia = ["image", "video", "audio"];

/// What the model declares beside its texts.
const kNoTexts = ["messages", "tools"];

/// The fields that a form has for it.
export const textsOf = ({inputs}) =>
    inputs.filter((name) => !kNoTexts.includes(name));

/// The kind by the model's declared inputs and outputs; by its name where they
/// do not say that a text is no more text afterwards.
function kindOf(name, inputs, outputs) {
  const medium = kMedia.find((kind) => inputs.includes(kind));
  if (medium) return medium;
  const isWriter = textsOf({inputs}).length < 2 &&
      !outputs.includes("embedding") && !/embed/i.test(name);
  if (!isWriter) return "form";
  return inputs.includes("messages") ? "chat" : "text";
}

async function describe(name) {
  let inputs = ["text"];
  let outputs = [];
  try {
    const path = `/v2/models/${encodeURIComponent(name)}`;
    const meta = await askJson(path, {isQuiet: true});
    inputs = meta.inputs.map((tensor) => tensor.name);
    outputs = meta.outputs.map((tensor) => tensor.name);
  } catch {
    // A server without that protocol: its models take text.
  }
  return {name, inputs, outputs, kind: kindOf(name, inputs, outputs)};
}

/// The model that writes down what is said, if there is one.
export const listenerOf = (models) => models.find(({kind, name}) =>
    kind === "audio" && /speech|whisper|transcri/i.test(name))?.name;

export async function listModels() {
  const {data} = await askJson("/v1/models");
  return Promise.all(data.map(({id}) => describe(id)));
}
