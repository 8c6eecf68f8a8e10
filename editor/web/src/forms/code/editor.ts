/**
 * The code editor: CodeMirror, made for one field. This module is only ever imported dynamically.
 *
 * It lives in a shadow root, because there CodeMirror uses constructed style sheets, which a strict
 * Content-Security-Policy allows; in the page itself it would need inline styles.
 */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { javascript, javascriptLanguage } from "@codemirror/lang-javascript";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, syntaxHighlighting, syntaxTree } from "@codemirror/language";
import { linter, lintGutter, lintKeymap, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightSpecialChars, keymap, lineNumbers, tooltips } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { isBalanced } from "../../model/typed";
import { completeJavaScript, completeJsonata } from "./complete";
import { jsonata, mustache } from "./languages";
import type { Shape } from "./shape";
import { shadowOf } from "./shadow";

export type Language = "javascript" | "json" | "jsonata" | "mustache" | "html" | "text";

export interface CodeOptions {
  readonly parent: HTMLElement;
  readonly value: string;
  readonly language: Language;
  readonly label: string;
  readonly onChange: (value: string) => void;
  /** Words of an error at a place: the catalogue is not this module's. */
  readonly words: { readonly syntax: string; readonly brackets: string };
  readonly message?: Shape | undefined;
  readonly readOnly?: boolean;
  /** What else the editor is made of: a language that is loaded for it alone, say. */
  readonly extensions?: Extension;
}

export interface CodeEditor {
  readonly view: EditorView;
  setValue(value: string): void;
  focus(line?: number, column?: number): void;
  destroy(): void;
}

/** Makes an editor inside an element. */
export function createEditor(options: CodeOptions): CodeEditor {
  const { root, parent } = shadowOf(options.parent);
  const language = new Compartment();
  let quiet = false;
  const view = new EditorView({
    parent,
    root,
    state: EditorState.create({
      doc: options.value,
      extensions: [
        base(options),
        language.of(languageOf(options)),
        options.extensions ?? [],
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !quiet) options.onChange(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    view,
    setValue(value) {
      if (value === view.state.doc.toString()) return;
      quiet = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } });
      quiet = false;
    },
    focus(line, column = 1) {
      if (line !== undefined && line <= view.state.doc.lines) {
        const at = view.state.doc.line(line);
        view.dispatch({ selection: { anchor: Math.min(at.from + column - 1, at.to) }, scrollIntoView: true });
      }
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}

/** Control and Enter save the form around. */
const OWN_KEYS = defaultKeymap.filter((binding) => binding.key !== "Mod-Enter");

function base(options: CodeOptions): Extension {
  return [
    lineNumbers(),
    foldGutter(),
    highlightSpecialChars(),
    history(),
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    highlightActiveLine(),
    highlightSelectionMatches(),
    search({ top: true }),
    lintGutter(),
    keymap.of([...closeBracketsKeymap, ...OWN_KEYS, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, ...lintKeymap, indentWithTab]),
    tooltips({ position: "fixed" }),
    EditorView.lineWrapping,
    EditorState.tabSize.of(4),
    EditorState.readOnly.of(options.readOnly ?? false),
    EditorView.contentAttributes.of({ tabindex: "0", "aria-label": options.label, spellcheck: "false", autocapitalize: "off", autocorrect: "off" }),
    look,
    syntaxHighlighting(colours),
  ];
}

function languageOf({ language, message, words }: CodeOptions): Extension {
  switch (language) {
    case "javascript":
      return [javascript(), javascriptLanguage.data.of({ autocomplete: completeJavaScript(message) }), autocompletion({ icons: false }), linter((view) => syntaxErrors(view, words.syntax))];
    case "json":
      return [json(), autocompletion({ icons: false }), linter((view) => (view.state.doc.toString().trim() === "" ? [] : jsonParseLinter()(view)))];
    case "jsonata":
      return [jsonata, autocompletion({ override: [completeJsonata(message)], icons: false }), linter((view) => unbalanced(view, words.brackets))];
    // Both have tags: a template is mostly one in the other.
    case "html":
    case "mustache":
      return [mustache];
    case "text":
      return [];
  }
}

/**
 * Where the parser found what cannot be. A function's body may return and await at its top level; the parser takes both.
 */
function syntaxErrors(view: EditorView, words: string): Diagnostic[] {
  const found: Diagnostic[] = [];
  const { doc } = view.state;
  syntaxTree(view.state).iterate({
    enter: (node) => {
      if (!node.type.isError || found.length >= 20) return;
      const from = Math.min(node.from, doc.length);
      // The end of what is missing has no width: the character before it shows where.
      found.push({ from: node.from === node.to ? Math.max(0, from - 1) : from, to: node.to, severity: "error", message: words });
    },
  });
  return found;
}

function unbalanced(view: EditorView, words: string): Diagnostic[] {
  const text = view.state.doc.toString();
  return text === "" || isBalanced(text) ? [] : [{ from: Math.max(0, text.length - 1), to: text.length, severity: "error", message: words }];
}

export const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "light-dark(#8a2aa0, #d69cf0)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "light-dark(#a03a1f, #f0a58a)" },
  { tag: [tags.number, tags.bool, tags.null], color: "light-dark(#126b56, #7fd9b9)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
  { tag: [tags.propertyName, tags.attributeName], color: "light-dark(#1f5fa8, #8cc2f5)" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: "light-dark(#7a5200, #e8cf8a)" },
  { tag: tags.tagName, color: "light-dark(#8a2aa0, #d69cf0)" },
  { tag: tags.variableName, color: "inherit" },
]);

export const look = EditorView.theme({
  "&": { height: "100%", color: "var(--text)", backgroundColor: "var(--surface)", fontSize: "13px" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-1px" },
  ".cm-scroller": { fontFamily: "ui-monospace, 'SF Mono', Menlo, Consolas, monospace", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--bg)", color: "var(--muted)", border: "none", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--accent) 8%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 28%, transparent)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--text)", border: "1px solid var(--line)", borderRadius: "6px", overflow: "hidden" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-panels": { backgroundColor: "var(--bg)", color: "var(--text)" },
  ".cm-panel input, .cm-panel button": { backgroundColor: "var(--surface)", color: "var(--text)", backgroundImage: "none", border: "1px solid var(--line)", borderRadius: "4px" },
  // Lint's own marks are data: images, which a strict policy refuses.
  ".cm-lint-marker": { width: "8px", height: "8px", margin: "6px 2px", borderRadius: "50%" },
  ".cm-lint-marker-error": { content: "normal", backgroundColor: "var(--danger)" },
  ".cm-lint-marker-warning": { content: "normal", backgroundColor: "var(--warning)" },
  ".cm-lint-marker-info": { content: "normal", backgroundColor: "var(--accent)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--danger) 1px", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--warning) 1px", textUnderlineOffset: "3px" },
  ".cm-lintRange-info, .cm-lintRange-hint": { backgroundImage: "none", textDecoration: "underline dotted var(--accent) 1px", textUnderlineOffset: "3px" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--bg)", color: "var(--muted)", border: "1px solid var(--line)" },
});
