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

/// The kind by the model's declared inputs and outputs. A chat is told by its
/// input of messages, or by its name: the protocol has no other word for it.
function kindOf(name, inputs, outputs) {
  const medium = kMedia.find((kind) => inputs.includes(kind));
  if (medium) return medium;
  const texts = inputs.filter((input) => input !== "messages");
  const isWriter = texts.length < 2 &&
      !outputs.some((output) => ["embedding", "logprob"].includes(output));
  if (!isWriter) return "form";
  return inputs.includes("messages") || /chat|instruct|[-_]it\b/i.test(name) ?
      "chat" : "text";
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

export async function listModels() {
  const {data} = await askJson("/v1/models");
  return Promise.all(data.map(({id}) => describe(id)));
}
