/**
 * Editors of text in forms: `RED.editor.createEditor`, the editors that open over the form, and `RED.tray`. Each begins
 * as a text area; CodeMirror, which the page sends on request, takes its place when it is there.
 */
import type { CodeEditor, CodeOptions } from "../../forms/code/editor";
import { $, type Any } from "../globals";
import type { World } from "../world";

type Make = (options: CodeOptions) => CodeEditor;
let loading: Promise<Make | undefined> | undefined;

/** CodeMirror, once; undefined when it cannot be had. */
function codeMirror(world: World): Promise<Make | undefined> {
  loading ??= world.channel.ask((request) => ({ kind: "asset", request, name: "code" })).then(({ status, body }) => {
    if (status !== 200) return undefined;
    run(body);
    return (window as Any).vgdcCode?.createEditor as Make | undefined;
  });
  return loading;
}

function run(script: string): void {
  const element = document.createElement("script");
  element.textContent = script;
  document.head.append(element);
  element.remove();
}

function languageOf(mode: unknown): CodeOptions["language"] {
  const name = String(mode ?? "").replace("ace/mode/", "");
  if (name === "javascript" || name === "nrjavascript") return "javascript";
  return name === "json" || name === "jsonata" || name === "html" ? name : name === "handlebars" || name === "mustache" ? "mustache" : "text";
}

/** An editor with the methods that packages call of Ace and Monaco. */
export function createEditor(world: World, options: Any): Any {
  const element = options.element ? $(options.element) : $(`#${options.id}`);
  element.addClass("red-ui-editor-text-container").empty();
  const label = options.title ?? element.attr("aria-label") ?? element.closest(".form-row").find("label").first().text().trim();
  const area = $("<textarea>", { spellcheck: false, "aria-label": label || "text" }).val(options.value ?? "").prop("readonly", options.readOnly === true).appendTo(element);
  const listeners = new Set<Any>();
  let language = languageOf(options.mode);
  let code: CodeEditor | undefined;
  let gone = false;
  const changed = () => listeners.forEach((listener) => listener({}));
  area.on("input", changed);

  const mount = async () => {
    const make = await codeMirror(world);
    if (!make || gone) return;
    const place = $("<div>", { class: "red-ui-editor-code" }).appendTo(element.find(".red-ui-editor-code").remove().end());
    area.addClass("is-behind").attr({ tabindex: -1, "aria-hidden": true });
    code?.destroy();
    code = make({
      parent: place[0],
      value: area.val(),
      language,
      label: area.attr("aria-label"),
      readOnly: area.prop("readonly"),
      words: { syntax: "syntax", brackets: "brackets" },
      onChange: (text) => {
        area.val(text);
        element[0]?.dispatchEvent(new Event("input", { bubbles: true }));
        changed();
      },
    });
  };
  void mount();

  const setMode = (mode: unknown) => {
    if (languageOf(mode) === language) return;
    language = languageOf(mode);
    void mount();
  };
  const session: Any = {
    setMode,
    getValue: () => area.val(),
    setValue: (text: unknown) => self.setValue(text),
    on: (name: string, listener: Any) => name === "change" && listeners.add(listener),
    off: (_name: string, listener: Any) => listeners.delete(listener),
    setUseWrapMode: () => undefined,
    getAnnotations: () => [],
    setAnnotations: () => undefined,
    getUndoManager: () => ({ isClean: () => true, hasUndo: () => false, markClean: () => undefined }),
    setUndoManager: () => undefined,
    setTabSize: () => undefined,
    setUseWorker: () => undefined,
    getLength: () => String(area.val()).split("\n").length,
    getLine: (line: number) => String(area.val()).split("\n")[line] ?? "",
  };
  const self: Any = {
    getValue: () => area.val(),
    setValue: (text: unknown) => {
      area.val(String(text ?? ""));
      code?.setValue(String(text ?? ""));
      changed();
    },
    focus: () => (code ? code.focus() : area.trigger("focus")),
    destroy: () => {
      gone = true;
      code?.destroy();
      element.empty();
    },
    getSession: () => session,
    session,
    on: session.on,
    off: session.off,
    setReadOnly: (is: boolean) => area.prop("readonly", is),
    resize: () => undefined,
    gotoLine: (line: number, column?: number) => code?.focus(line, (column ?? 0) + 1),
    moveCursorTo: () => undefined,
    getCursorPosition: () => ({ row: 0, column: 0 }),
    saveView: () => undefined,
    restoreView: () => undefined,
    getSelectedText: () => "",
    selection: { clearSelection: () => undefined },
    clearSelection: () => undefined,
    navigateFileEnd: () => undefined,
    renderer: { updateFull: () => undefined, setShowGutter: () => undefined },
    setOptions: () => undefined,
    setOption: () => undefined,
    setTheme: () => undefined,
    setFontSize: () => undefined,
    setShowPrintMargin: () => undefined,
    commands: { addCommand: () => undefined },
    $blockScrolling: 0,
    type: "vgdc",
  };
  if (options.focus) setTimeout(() => self.focus());
  return self;
}

/** One of the editors that Node-RED opens over a form; `complete` gets the text. */
export function editIn(world: World, options: Any, language: string): void {
  let editor: Any;
  const done = () => options.complete?.(editor.getValue());
  const cancel = () => (typeof options.cancel === "function" ? options.cancel() : undefined);
  openDialog({
    title: options.title ?? "",
    width: options.width,
    buttons: [
      { id: "cancel", text: world.text("common.label.cancel", { defaultValue: "Cancel" }), click: cancel },
      { id: "done", text: world.text("common.label.done", { defaultValue: "Done" }), class: "primary", click: done },
    ],
    open: (dialog: Any) => {
      const place = $("<div>", { class: "red-ui-editor-tall", "aria-label": language }).appendTo(dialog.find(".red-ui-tray-body"));
      editor = createEditor(world, { element: place, value: options.value ?? "", mode: options.mode ?? language, focus: true });
    },
    close: () => editor?.destroy(),
  });
}

const open: { dialog: HTMLDialogElement; options: Any }[] = [];

function openDialog(options: Any): void {
  const dialog = $("<dialog>", { class: "red-ui-tray", "aria-label": options.title || "dialog" }).appendTo(document.body);
  const element = dialog[0] as HTMLDialogElement;
  $("<div>", { class: "red-ui-tray-header" }).text(options.title ?? "").appendTo(dialog);
  $("<div>", { class: "red-ui-tray-body red-ui-editor" }).appendTo(dialog);
  const foot = $("<div>", { class: "red-ui-tray-footer red-ui-tray-toolbar" }).appendTo(dialog);
  for (const each of options.buttons ?? []) {
    $("<button>", { type: "button", id: each.id, class: `red-ui-button ${each.class ?? ""}` }).text(each.text ?? "").appendTo(foot).on("click", () => {
      const closes = each.close ?? true;
      each.click?.();
      if (closes && element.isConnected) closeDialog();
    });
  }
  dialog.on("cancel", (event: Any) => {
    event.preventDefault();
    foot.find("#cancel, #node-dialog-cancel").first().trigger("click");
    if (element.isConnected) closeDialog();
  });
  dialog.on("keydown", (event: Any) => event.stopPropagation());
  open.push({ dialog: element, options });
  element.showModal();
  options.open?.(dialog);
  options.resize?.({ width: element.clientWidth, height: element.clientHeight });
}

function closeDialog(): void {
  const top = open.pop();
  if (!top) return;
  top.options.close?.();
  top.dialog.close();
  top.dialog.remove();
}

/** `RED.tray`: trays over the form are dialogs. */
export function trayOf(): Any {
  return { show: openDialog, close: (done?: () => void) => (closeDialog(), done?.()), hide: () => undefined, resize: () => undefined };
}
