// A conversation, or a text that goes on: the answer comes as it is written.

import {stream} from "/api.js";
import {composer} from "/composer.js";
import {button, h, say} from "/dom.js";
import {settings} from "/settings.js";
import {dictation} from "/speak.js";

const kBegins = {
  chat: ["How does a water turbine work?", "Write four lines about rain.",
    "What should I cook with lentils?"],
  text: ["January, February, March,", "The river rose in the night, and",
    "Water boils at"],
};

/// "64 tokens · 41.2/s · first after 0.21 s"
function measure({begin, first, last, usage, reason}) {
  const parts = [];
  const count = usage?.completion_tokens;
  if (count) parts.push(`${count} ${count === 1 ? "token" : "tokens"}`);
  if (count > 1 && last > first) {
    parts.push(`${((count - 1) / (last - first) * 1000).toFixed(1)}/s`);
  }
  if (first) parts.push(`first after ${((first - begin) / 1000).toFixed(2)} s`);
  if (reason === "length") parts.push("ended by its limit");
  if (reason === "stopped") parts.push("stopped");
  return parts.join(" · ");
}

/// The page's part for a model of kind chat or text.
export function chatView(model, {listener}) {
  const isChat = model.kind === "chat";
  const turns = [];  // what is sent again with the next message
  let running = null;

  const log = h("div.log", {role: "log", "aria-live": "off",
    "aria-label": isChat ? "Conversation" : "Text"});
  const empty = h("div.empty", {},
      h("h2", {}, isChat ? "Say something" : "Begin a text"),
      h("p", {}, isChat ?
          "The answer comes as it is written. What you say goes to this server and to no other." :
          "The model goes on from your words; it does not answer them. They go to this server and to no other."),
      h("div.begins", {}, kBegins[model.kind].map((text) =>
        button("begin", null, text, () => send(text)))));
  const scroller = h("div.scroll", {}, log, empty);
  const latest = button("quiet.square.latest", "down", "To the end", toEnd);
  latest.hidden = true;

  const asked = settings({
    name: model.name, hasSystem: isChat,
    initial: isChat ? {} : {max_tokens: 128}, onclose: () => show(false),
  });
  const tune = button("quiet", "tune", "Settings",
      () => show(asked.element.hidden));
  tune.setAttribute("aria-expanded", "false");
  tune.setAttribute("aria-controls", asked.element.id);
  const again = button("quiet", "new", isChat ? "New chat" : "New text", clear);
  const writer = composer({
    label: isChat ? "Your message" : "Your text",
    placeholder: isChat ? "Write a message" : "Write the beginning",
    onsend: send, onstop: stop,
    speak: listener ? dictation(listener, (text) => writer.put(text)) : null,
  });
  const element = h("div.view.chat", {},
      h("header.head", {}, h("h1", {}, model.name),
          h("div.row", {}, again, tune)),
      h("div.body", {},
          h("div.talk", {}, scroller,
              h("div.foot", {}, latest, writer.element)),
          asked.element));
  scroller.addEventListener("scroll", () => {
    latest.hidden = isAtEnd();
  }, {passive: true});

  function show(isOpen) {
    asked.element.hidden = !isOpen;
    tune.setAttribute("aria-expanded", String(isOpen));
    (isOpen ? asked.first() : tune).focus();
  }
  function isAtEnd() {
    return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;
  }
  function toEnd() {
    scroller.scrollTop = scroller.scrollHeight;
  }
  function stop() {
    running?.abort();
  }
  function clear() {
    stop();
    turns.length = 0;
    log.replaceChildren();
    empty.hidden = false;
    writer.input.focus();
  }

  function request(text) {
    const values = asked.values();
    if (!isChat) return {model: model.name, prompt: text, ...values};
    const system = asked.system();
    return {
      model: model.name,
      messages: [...(system ? [{role: "system", content: system}] : []),
        ...turns, {role: "user", content: text}],
      ...values,
    };
  }

  async function send(text) {
    if (running) return;
    const wrong = asked.fault();
    if (wrong) {
      writer.put(text);
      show(true);
      wrong.reportValidity();
      return;
    }
    running = new AbortController();
    empty.hidden = true;
    writer.setBusy(true);
    const turn = newTurn(text, isChat);
    log.append(turn.element);
    toEnd();
    const seen = {begin: performance.now(), reason: null};
    try {
      const path = isChat ? "/v1/chat/completions" : "/v1/completions";
      await read(stream(path, request(text), running.signal), turn, seen);
    } catch (error) {
      if (error.name === "AbortError") seen.reason = "stopped";
      else turn.fail(error.message);
    }
    say("", {isEnd: true});
    turn.done(measure(seen), () => writer.put(text),
        isChat ? null : () => send(turn.whole()));
    const isKept = log.contains(turn.element);  // no new chat has begun
    if (isChat && isKept && turn.text()) {
      turns.push({role: "user", content: text},
          {role: "assistant", content: turn.text()});
    }
    running = null;
    writer.setBusy(false);
  }

  async function read(pieces, turn, seen) {
    for await (const {text, reason, usage} of pieces) {
      if (text) {
        const follows = isAtEnd();
        seen.last = performance.now();
        seen.first ??= seen.last;
        turn.add(text);
        say(text);
        if (follows) toEnd();
      }
      seen.reason = reason ?? seen.reason;
      seen.usage = usage ?? seen.usage;
    }
  }

  return {element, focus: () => writer.input.focus(), stop};
}

/// What was written and what came, side by side or as one text.
function newTurn(given, isChat) {
  const made = document.createTextNode("");
  const answer = h("div.answer.writing-now", {},
      isChat ? null : h("span.given", {}, given), h("span.made", {}, made));
  const under = h("div.under", {});
  const element = h("article.turn", {},
      isChat ? h("div.asked", {}, h("span.unseen", {}, "You: "), given) : null,
      isChat ? h("span.unseen", {}, "Answer: ") : null, answer, under);
  return {
    element,
    text: () => made.data,
    whole: () => given + made.data,
    add: (text) => made.appendData(text),
    fail(message) {
      under.before(h("p.fault", {role: "alert"}, message));
    },
    done(measured, ontry, ongo) {
      answer.classList.remove("writing-now");
      if (!made.data && isChat) answer.hidden = true;
      const text = isChat ? made.data : given + made.data;
      const copy = button("quiet.square.small", "copy", "Copy", async () => {
        await navigator.clipboard.writeText(text);
        say("Copied.", {isEnd: true});
      });
      under.append(...[
        h("span.measured", {}, measured),
        made.data && navigator.clipboard ? copy : null,
        made.data && ongo ? button("quiet.small", null, "Go on", ongo) : null,
        made.data ? null : button("quiet.small", null, "Write it again", ontry),
      ].filter(Boolean));
    },
  };
}
