/**
 * The page in the sandboxed frame in which the code of packages runs. It has no origin of its own to speak of: it can
 * reach neither the editor, nor cookies, nor the network, but for what it asks the editor's page over a channel.
 */
import { $ } from "./globals";
import "jquery-ui/dist/jquery-ui.js";
import type { Start, ToFrame } from "../hosted/protocol";
import { connected, type Channel } from "./channel";
import { nodeFacts, typeFacts } from "./facts";
import { Form, translate } from "./form";
import styles from "./frame.css?inline";
import { quiet, throughThePage } from "./network";
import { runPage, type Failure } from "./pages";
import { makeRed } from "./red/red";
import { defineEditableList } from "./widgets/editable-list";
import { defineLists } from "./widgets/lists";
import { defineTypedInput } from "./widgets/typed-input";
import { World } from "./world";

let channel: Channel;
let world: World | undefined;
let form: Form | undefined;

void connected().then((given) => {
  channel = given;
  channel.listen((message) => {
    try {
      hear(message);
    } catch (error) {
      console.warn(error);
      channel.send({ kind: "broken", reason: String(error).slice(0, 2000) });
    }
  });
  channel.send({ kind: "hello" });
});

function hear(message: ToFrame): void {
  if (message.kind === "start") return start(message);
  if (!world) return;
  switch (message.kind) {
    case "nodes":
      world.setNodes(message.nodes, message.labels);
      form?.chooseConfig(undefined, "");
      break;
    case "describe":
      channel.send({ kind: "described", request: message.request, nodes: nodeFacts(world, message.ids) });
      break;
    case "open":
      open(world, message);
      break;
    case "save":
      if (form) channel.send(form.save(message.request));
      break;
    case "cancel":
      form?.cancel();
      break;
    case "config":
      form?.chooseConfig(message.property, message.id);
      break;
    case "theme":
      showTheme(message.theme);
      break;
    case "focus":
      focusFirst();
      break;
    case "answer":
      break;
  }
}

function start(message: Start): void {
  document.documentElement.lang = message.language;
  showTheme(message.theme);
  const style = document.createElement("style");
  style.textContent = styles;
  document.head.append(style);
  const made = (world = new World(message, channel));
  throughThePage(channel);
  defineLists(made);
  defineTypedInput(made);
  defineEditableList(made);
  Object.assign(window, { RED: makeRed(made) });
  $.fn.i18n = function (this: unknown) {
    translate(made, this, "editor");
    return this;
  };
  const failures: Failure[] = message.pages.flatMap((page) => runPage(made, page, true));
  void quiet().then(() => channel.send({ kind: "types", types: typeFacts(made), failures }));
}

function open(into: World, { node, isNew, credentials, place }: Extract<ToFrame, { kind: "open" }>): void {
  const type = String(node["type"]);
  if (!into.definitions.has(type) || !into.templates.has(type)) return channel.send({ kind: "broken", reason: into.definitions.has(type) ? "no-template" : "no-type" });
  into.place = place;
  const live = into.make(node);
  into.editing = live;
  form = new Form(into, live, credentials, isNew);
  const body = document.createElement("main");
  body.className = "red-ui-tray-body";
  document.body.append(body);
  const problem = form.open(body);
  if (problem !== undefined) channel.send({ kind: "warning", text: problem.slice(0, 2000) });
  window.addEventListener("resize", () => form?.resize());
  void showIcons(channel);
  channel.send({ kind: "opened" });
}

/** The icons' font, of which most forms use some. */
async function showIcons(from: Channel): Promise<void> {
  const { status, body } = await from.ask((request) => ({ kind: "asset", request, name: "icons" }));
  if (status !== 200) return;
  const style = document.createElement("style");
  style.textContent = body;
  document.head.prepend(style);
}

function showTheme(theme: "light" | "dark"): void {
  document.documentElement.style.colorScheme = theme;
  document.documentElement.dataset["theme"] = theme;
}

function focusFirst(): void {
  const field = $("main").find("input, select, textarea, button, a[href]").filter(":visible:enabled").first();
  field.trigger("focus");
}

// Keys of the form around. A menu or dialog that is open here takes them first.
window.addEventListener("keydown", (event) => {
  if (event.defaultPrevented) return;
  const dialog = document.querySelector("dialog[open]") ?? $(".ui-dialog:visible")[0];
  const key = event.key === "Enter" && (event.ctrlKey || event.metaKey) ? "ok" : event.key === "Escape" && !dialog ? "cancel" : undefined;
  if (key === undefined) return;
  event.preventDefault();
  // This frame goes away with its form: the browser first gets to know that the key was dealt with.
  setTimeout(() => channel.send({ kind: "key", key }), 30);
});
