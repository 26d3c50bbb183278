// The page of pipeline-serve: a list of models, and a view for each of them.

import {key, onKeyNeeded, setKey} from "/api.js";
import {chatView} from "/chat.js";
import {byId, h, icon} from "/dom.js";
import {formView} from "/form.js";
import {mediaView} from "/media.js";
import {kinds, listenerOf, listModels} from "/models.js";
import {watch} from "/status.js";

const views = new Map();  // by model; a conversation outlives a look at another
let models = [];
let current = null;

const isMedia = (model) => ["image", "audio", "video"].includes(model.kind);

function viewOf(model) {
  if (!views.has(model.name)) {
    const make = isMedia(model) ? mediaView
        : model.kind === "form" ? formView : chatView;
    views.set(model.name, make(model, {listener: listenerOf(models)}));
  }
  return views.get(model.name);
}

function choose(model, {hasFocus = true} = {}) {
  current = viewOf(model);
  byId("main").replaceChildren(current.element);
  byId("top-name").textContent = model.name;
  document.title = `${model.name} · Penstock`;
  for (const item of byId("models").querySelectorAll("button")) {
    if (item.dataset.name === model.name) {
      item.setAttribute("aria-current", "page");
    } else {
      item.removeAttribute("aria-current");
    }
  }
  history.replaceState(null, "", `#${encodeURIComponent(model.name)}`);
  openMenu(false);
  if (hasFocus) current.focus();
}

function listed(model) {
  const {icon: name, takes} = kinds[model.kind];
  const item = h("button.model", {type: "button", onclick: () => choose(model)},
      icon(name), h("span", {}, h("span.model-name", {}, model.name),
          h("span.model-takes", {}, takes)));
  item.dataset.name = model.name;
  return h("li", {}, item);
}

async function load() {
  try {
    models = await listModels();
  } catch (error) {
    byId("lonely").textContent = error.message;
    return;
  }
  byId("models").replaceChildren(...models.map(listed));
  const wanted = decodeURIComponent(location.hash.slice(1));
  const first = models.find(({name}) => name === wanted) ??
      models.find(({kind}) => kind === "chat") ?? models[0];
  if (first) choose(first, {hasFocus: !isMedia(first) &&
        !matchMedia("(pointer: coarse)").matches});
  else byId("lonely").textContent = "This server has no models.";
}

function openMenu(isOpen) {
  document.body.classList.toggle("menu-open", isOpen);
  byId("open-menu").setAttribute("aria-expanded", String(isOpen));
  byId("veil").hidden = !isOpen;
  if (isOpen) byId("models").querySelector("[aria-current], button")?.focus();
}

function wireMenu() {
  byId("open-menu").addEventListener("click", () => openMenu(true));
  byId("veil").addEventListener("click", () => openMenu(false));
  byId("side").addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    openMenu(false);
    byId("open-menu").focus();
  });
}

/// Files may be dropped or pasted anywhere.
function wireFiles() {
  const hasFile = (event) =>
      [...event.dataTransfer?.types ?? []].includes("Files");
  addEventListener("dragover", (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = current?.take ? "copy" : "none";
    current?.setOver?.(true);
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) current?.setOver?.(false);
  });
  addEventListener("drop", (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    current?.setOver?.(false);
    current?.take?.(event.dataTransfer.files[0]);
  });
  addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (file && current?.take) current.take(file);
  });
}

/// One question at a time, however many requests wait for a key.
function wireKey() {
  const dialog = byId("key-dialog");
  const input = byId("key");
  let asking = null;
  const question = (title, why) => {
    asking ??= new Promise((resolve) => {
      byId("key-title").textContent = title;
      byId("key-why").textContent = why;
      input.value = "";
      dialog.returnValue = "";
      dialog.addEventListener("close", () => {
        asking = null;
        resolve(dialog.returnValue === "set");
      }, {once: true});
      dialog.showModal();
    });
    return asking;
  };
  const kept = "It stays in this tab and is forgotten when you close it.";
  byId("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    setKey(input.value.trim());
    dialog.close("set");
  });
  byId("key-cancel").addEventListener("click", () => dialog.close(""));
  onKeyNeeded((wasWrong) => question(
      wasWrong ? "The server does not know that key"
               : "This server asks for a key", kept));
  byId("change-key").addEventListener("click", async () => {
    const isSet = await question(key() ? "Another key" : "An API key",
        key() ? "An empty one forgets it." : kept);
    if (isSet && models.length === 0) load();
  });
}

addEventListener("keydown", (event) => {
  if (event.key === "Escape") current?.stop();
});
// A browser may keep a page that was left, and its streams with it.
addEventListener("pagehide", () => {
  for (const view of views.values()) view.stop();
});
wireMenu();
wireFiles();
wireKey();
load();
watch();
