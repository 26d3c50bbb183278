// Talks to the server that the page came from, and to no other.

const kKey = "penstock.key";

/// The key lives as long as the tab.
export const key = () => sessionStorage.getItem(kKey) ?? "";
export function setKey(text) {
  if (text) sessionStorage.setItem(kKey, text);
  else sessionStorage.removeItem(kKey);
}

/// An answer that is none: `message` is for people. Status 0: none came.
export class ServerError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const kBrokeOff = "The answer broke off.";
/// Of an error in a stream, which began as a good answer.
const faultOf = (error) => new ServerError(200, error.message ?? String(error));

let askForKey = async () => false;
/// `ask(wasWrong)` gives true when there is another key to try.
export function onKeyNeeded(ask) {
  askForKey = ask;
}

async function errorOf(answer) {
  let message = "";
  try {
    const {error} = await answer.json();
    message = typeof error === "string" ? error : error.message;
  } catch {
    message = `The server answered ${answer.status}.`;
  }
  const wait = answer.headers.get("retry-after");
  if (answer.status === 429 && wait) message += ` Try again in ${wait} s.`;
  return new ServerError(answer.status, message);
}

/// As fetch(), but throws a ServerError unless the answer is a good one. Asks
/// for a key where one is wanted, unless `isQuiet`.
export async function ask(path, {isQuiet = false, ...options} = {}) {
  for (;;) {
    const headers = new Headers(options.headers);
    const used = key();
    if (used) headers.set("Authorization", `Bearer ${used}`);
    let answer;
    try {
      answer = await fetch(path, {...options, headers, credentials: "omit"});
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ServerError(0, options.body instanceof FormData ?
          "The server took no answer back. Is the file too large for it?" :
          "The server does not answer.");
    }
    if (answer.status === 401 && !isQuiet && await askForKey(used !== "")) {
      continue;
    }
    if (!answer.ok) throw await errorOf(answer);
    return answer;
  }
}

export const askJson = async (path, options) =>
    (await ask(path, options)).json();

export const post = (path, body, signal) => ask(path, {
  method: "POST",
  headers: {"Content-Type": "application/json"},
  body: JSON.stringify(body),
  signal,
});

function formOf(fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}

/// What is said in a sound.
export async function transcribe(model, file) {
  const answer = await ask("/v1/audio/transcriptions",
      {method: "POST", body: formOf({model, file})});
  return (await answer.json()).text.trim();
}

/// The data of each Server-Sent Event; comments are left out.
export async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    rest = (rest + value).replaceAll("\r\n", "\n");
    const parts = rest.split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const data = part.split("\n")
          .filter((line) => line.startsWith("data:"))
          .map((line) => line.slice(5).replace(/^ /, ""));
      if (data.length) yield data.join("\n");
    }
  }
}

/// What a pipeline makes of files. `ontext(step, text)` is called for texts as
/// they come; the whole is given at the end.
export async function runPipeline(name, files, {signal, ontext}) {
  const answer = await ask(`/v1/pipelines/${encodeURIComponent(name)}`, {
    method: "POST", body: formOf(files), signal,
    headers: {Accept: "text/event-stream"}});
  const type = answer.headers.get("content-type") ?? "";
  if (!type.startsWith("text/event-stream")) return answer.json();
  for await (const data of events(answer)) {
    const event = JSON.parse(data);
    if (event.error) throw faultOf(event.error);
    if (event.type === "text") ontext(event.step ?? "", event.text);
    if (event.type === "result") return event.result;
  }
  throw new ServerError(200, kBrokeOff);
}

/// Streams an answer of a chat or a completion: yields {text, reason, usage},
/// each where it is there. Throws when it breaks off.
export async function* stream(path, body, signal) {
  const answer = await post(path,
      {...body, stream: true, stream_options: {include_usage: true}}, signal);
  let isWhole = false;
  for await (const data of events(answer)) {
    if (data === "[DONE]") return;
    const {error, choices = [], usage} = JSON.parse(data);
    if (error) throw faultOf(error);
    const choice = choices[0];
    const reason = choice?.finish_reason ?? null;
    isWhole ||= reason !== null;
    yield {text: choice?.delta?.content ?? choice?.text ?? "", reason, usage};
  }
  if (!isWhole) throw new ServerError(200, kBrokeOff);
}
