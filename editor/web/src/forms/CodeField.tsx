/**
 * A field of code, with CodeMirror loaded when the first one is shown, and the same in a dialog of its own.
 */
import { useEffect, useId, useRef, useState } from "react";
import { perform } from "../app/actions";
import { useSession, useStore } from "../app/react";
import { messageOf } from "../app/session";
import { Glyph } from "../canvas/icons";
import { t } from "../messages";
import { label as labelOf } from "../messages/labels";
import { kindOf, wireId } from "../model/flow";
import type { Json } from "../model/json";
import type { Field } from "../model/types";
import { merged, shapeOf, type Shape } from "./code/shape";
import type { CodeEditor, Language } from "./code/editor";
import type { Draft } from "./draft";
import { formsOf } from "./forms";
import type { ControlProps } from "./fields";
import { Dialog } from "../panels/Dialog";

export function CodeField(props: ControlProps) {
  const { draft, field, values, set, prefix } = props;
  const path = prefix + field.name;
  const { unfinished } = useStore(draft.state);
  const [expanded, setExpanded] = useState(false);
  const isValue = (field.kind === "json" && field.text !== true) || field.kind === "modules" || field.kind === "list";
  const value = isValue ? (unfinished[path] ?? jsonText(values[field.name])) : String(values[field.name] ?? "");
  const [open, setOpen] = useState(value.trim() !== "" || field.name === "func" || field.kind !== "javascript");
  const title = labelOf(field.label, draft.node.type);
  const change = (text: string) => {
    if (!isValue) return set({ [field.name]: text });
    try {
      const parsed = JSON.parse(text) as Json;
      draft.setUnfinished(path, undefined);
      set({ [field.name]: parsed });
    } catch {
      draft.setUnfinished(path, text);
    }
  };
  const language = languageOf(field, values["format"]);
  if (!open) {
    return (
      <button type="button" id={props.id} className="list-add" aria-label={`${t("form.add-code")}: ${title}`} onClick={() => setOpen(true)}>
        <Glyph name="plus" size={14} />
        {t("form.add-code")}
      </button>
    );
  }
  return (
    <div className="code-field" data-language={language}>
      <div className="code-tools">
        {COMPILED.has(field.kind) && !draft.isNew && <GeneratedButton draft={draft} label={title} />}
        <button type="button" id={props.id} className="icon-button" title={t("form.expand")} aria-label={t("form.expand-named", { label: title })} onClick={() => setExpanded(true)}>
          <Glyph name="expand" size={15} />
        </button>
      </div>
      <Code label={title} language={language} value={value} draft={draft} onChange={change} className={field.kind === "json" || field.kind === "jsonata" ? "is-small" : ""} />
      {expanded && <CodeDialog label={title} language={language} value={value} draft={draft} onChange={change} onClose={() => setExpanded(false)} />}
    </div>
  );
}

const COMPILED: ReadonlySet<Field["kind"]> = new Set(["javascript", "jsonata", "mustache"]);

/** Saves the form, as going to another node does, and shows what the compiler makes of the code. */
function GeneratedButton({ draft, label }: { draft: Draft; label: string }) {
  const { session } = draft;
  const features = useStore(session.features);
  if (!features.has("code") || kindOf(draft.node) !== "node") return null;
  const show = () => {
    const forms = formsOf(session);
    forms.ok();
    // A form that could not be saved stays, and says why.
    if (forms.stack.get().some((form) => form.draft === draft)) return;
    session.select([draft.node.id]);
    perform(session, "show-code");
  };
  return (
    <button type="button" className="icon-button" title={t("do.show-code")} aria-label={`${t("do.show-code")}: ${label}`} onClick={show}>
      <Glyph name="parser-html" size={15} />
    </button>
  );
}

function languageOf(field: Field, format: Json | undefined): Language {
  switch (field.kind) {
    case "javascript":
    case "jsonata":
      return field.kind;
    case "mustache":
      return format === "json" || format === "javascript" ? format : format === "text" ? "text" : format === "html" ? "html" : "mustache";
    default:
      return "json";
  }
}

function jsonText(value: Json | undefined): string {
  return value === undefined ? "" : JSON.stringify(value, null, 2);
}

interface CodeProps {
  readonly label: string;
  readonly language: Language;
  readonly value: string;
  readonly draft?: Draft;
  readonly onChange: (value: string) => void;
  readonly className?: string;
  readonly autoFocus?: boolean;
}

/** The editor itself. Until it is loaded, and when it cannot be, a text area does its work. */
export function Code({ label, language, value, draft, onChange, className = "", autoFocus = false }: CodeProps) {
  const session = useSession();
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<CodeEditor>(undefined);
  const latest = useRef({ value, onChange });
  latest.current = { value, onChange };
  const [state, setState] = useState<"loading" | "ready" | "failed">("loading");

  useEffect(() => {
    let current = true;
    import("./code/editor").then(
      ({ createEditor }) => {
        if (!current || !place.current) return;
        editor.current = createEditor({
          parent: place.current,
          value: latest.current.value,
          language,
          label,
          onChange: (text) => latest.current.onChange(text),
          words: { syntax: t("code.syntax"), brackets: t("problem.jsonata") },
          message: draft && messageShape(draft),
        });
        setState("ready");
        if (autoFocus) editor.current.focus();
      },
      (error: unknown) => {
        if (!current) return;
        setState("failed");
        session.notify("warning", t("code.failed", { reason: messageOf(error) }));
      },
    );
    return () => {
      current = false;
      editor.current?.destroy();
      editor.current = undefined;
    };
    // Made anew only for another language: the label and the draft of a field stay what they are.
  }, [language]);

  useEffect(() => editor.current?.setValue(value), [value]);

  return (
    <div className={`code ${className}`} data-state={state}>
      <div ref={place} className="code-place" hidden={state === "failed"} />
      {state === "failed" && <textarea aria-label={label} spellCheck={false} value={value} onChange={(event) => onChange(event.target.value)} />}
      {state === "loading" && <p className="code-loading">{t("code.loading")}</p>}
    </div>
  );
}

/** What the compiler says of the messages that come in, if it says anything. */
export function messageShape({ session, node }: Draft): Shape | undefined {
  const wires = session.check.get()?.wires;
  if (!wires) return undefined;
  const shapes = session.flow.wiresTo(node.id).flatMap((wire) => wires[wireId(wire)] ?? []).map(shapeOf);
  return shapes.length > 0 ? merged(shapes) : undefined;
}

/** Code over the whole window. */
export function CodeDialog({ onClose, ...props }: CodeProps & { readonly onClose: () => void }) {
  const id = useId();
  return (
    <Dialog id={id} title={props.label} size="full" onClose={onClose} buttons={[{ title: t("form.done"), run: onClose, primary: true }]}>
      <Code {...props} className="is-full" autoFocus />
    </Dialog>
  );
}
