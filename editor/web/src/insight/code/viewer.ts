/**
 * A text to be read, in CodeMirror: lines are lit, marked in the gutter, and tell when the cursor or the pointer comes to
 * them. This module is only ever imported dynamically; like the editor it lives in a shadow root.
 */
import { defaultKeymap } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import { StreamLanguage, syntaxHighlighting, type StreamParser } from "@codemirror/language";
import { search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, RangeSet, StateEffect, StateField, type Extension } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, gutter, GutterMarker, highlightActiveLine, keymap, lineNumbers, type DecorationSet } from "@codemirror/view";
import { colours, look } from "../../forms/code/editor";
import { jsonata, mustache } from "../../forms/code/languages";
import { inComment } from "../../forms/code/languages";
import { shadowOf } from "../../forms/code/shadow";

export type ViewerLanguage = "javascript" | "jsonata" | "mustache" | "rust" | "mir" | "text";

export interface ViewerOptions {
  readonly parent: HTMLElement;
  readonly label: string;
  /** A line was come to: by the cursor, or only by the pointer over it. */
  readonly onLine: (line: number, how: "cursor" | "hover" | "click") => void;
}

export interface Viewer {
  show(text: string, language: ViewerLanguage): void;
  /** Lights lines, and brings the first into view if wanted. */
  light(lines: readonly number[], scroll: boolean): void;
  /** Marks lines in the gutter, each with words. */
  mark(lines: ReadonlyMap<number, string>): void;
  destroy(): void;
}

const setLit = StateEffect.define<readonly number[]>();
const setMarks = StateEffect.define<ReadonlyMap<number, string>>();

const litLine = Decoration.line({ class: "cm-lit" });
const lit = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(setLit)) return Decoration.set(placesOf(transaction.state, effect.value).map((at) => litLine.range(at)));
    return transaction.docChanged ? Decoration.none : value;
  },
  provide: (field) => EditorView.decorations.from(field),
});

class EngineMarker extends GutterMarker {
  constructor(private readonly words: string) {
    super();
  }
  override eq(other: EngineMarker): boolean {
    return other.words === this.words;
  }
  override toDOM(): Node {
    const element = document.createElement("span");
    element.className = "cm-engine";
    element.title = this.words;
    element.textContent = "!";
    return element;
  }
}

const marked = StateField.define<RangeSet<GutterMarker>>({
  create: () => RangeSet.empty,
  update(value, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(setMarks)) continue;
      const lines = [...effect.value].filter(([line]) => line >= 1 && line <= transaction.state.doc.lines).toSorted((a, b) => a[0] - b[0]);
      return RangeSet.of(lines.map(([line, words]) => new EngineMarker(words).range(transaction.state.doc.line(line).from)));
    }
    return transaction.docChanged ? RangeSet.empty : value;
  },
});

export function createViewer(options: ViewerOptions): Viewer {
  const { root, parent } = shadowOf(options.parent);
  const language = new Compartment();
  let hovered = 0;
  const view = new EditorView({
    parent,
    root,
    state: EditorState.create({
      extensions: [
        lineNumbers(),
        marked,
        gutter({ class: "cm-engine-gutter", markers: (each) => each.state.field(marked) }),
        lit,
        drawSelection(),
        highlightActiveLine(),
        EditorView.lineWrapping,
        search({ top: true }),
        keymap.of([...defaultKeymap.filter((binding) => binding.key !== "Mod-Enter"), ...searchKeymap]),
        EditorState.readOnly.of(true),
        // (what is only read can be scrolled, and gone through, with the keys)
        EditorView.contentAttributes.of({ tabindex: "0", "aria-label": options.label, "aria-readonly": "true", inputmode: "none", spellcheck: "false" }),
        ownLook,
        look,
        syntaxHighlighting(colours),
        language.of([]),
        EditorView.updateListener.of((update) => {
          if (update.selectionSet && !update.docChanged) options.onLine(lineAt(update.state, update.state.selection.main.head), update.transactions.some((each) => each.isUserEvent("select.pointer")) ? "click" : "cursor");
        }),
        EditorView.domEventHandlers({
          mousemove: (event, each) => {
            const at = each.posAtCoords({ x: event.clientX, y: event.clientY });
            const line = at === null ? 0 : lineAt(each.state, at);
            if (line === hovered || line === 0) return;
            hovered = line;
            options.onLine(line, "hover");
          },
          mouseleave: () => {
            hovered = 0;
          },
        }),
      ],
    }),
  });
  return {
    show(text, wanted) {
      if (text !== view.state.doc.toString()) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      view.dispatch({ effects: language.reconfigure(languageOf(wanted)) });
    },
    light(lines, scroll) {
      const first = placesOf(view.state, lines)[0];
      view.dispatch({ effects: [setLit.of(lines), ...(scroll && first !== undefined ? [EditorView.scrollIntoView(first, { y: "center" })] : [])] });
    },
    mark: (lines) => view.dispatch({ effects: setMarks.of(lines) }),
    destroy: () => view.destroy(),
  };
}

function placesOf(state: EditorState, lines: readonly number[]): number[] {
  return lines.filter((line) => line >= 1 && line <= state.doc.lines).map((line) => state.doc.line(line).from);
}

function lineAt(state: EditorState, at: number): number {
  return state.doc.lineAt(at).number;
}

function languageOf(language: ViewerLanguage): Extension {
  switch (language) {
    case "javascript":
      return javascript();
    case "jsonata":
      return jsonata;
    case "mustache":
      return mustache;
    case "rust":
      return rust;
    case "mir":
      return mir;
    case "text":
      return [];
  }
}

const RUST_WORDS = /^(?:as|break|const|continue|else|enum|extern|false|fn|for|if|impl|in|let|loop|match|mod|move|mut|pub|ref|return|self|static|struct|true|type|unsafe|use|where|while)\b/;

const rustParser: StreamParser<{ comment: boolean }> = {
  name: "rust",
  startState: () => ({ comment: false }),
  token(stream, state) {
    if (inComment(stream, state)) return "comment";
    if (stream.eatSpace()) return null;
    if (stream.match("//")) {
      stream.skipToEnd();
      return "comment";
    }
    if (stream.match(/^b?r?#?"(?:[^"\\]|\\.)*"?#?/) || stream.match(/^'(?:[^'\\]|\\.[^']*)'/)) return "string";
    if (stream.match(/^\d[\d_]*(?:\.\d+)?(?:e[-+]?\d+)?(?:[iuf]\d+|usize)?/i)) return "number";
    if (stream.match(RUST_WORDS)) return "keyword";
    if (stream.match(/^#!?\[[^\]]*\]/)) return "comment";
    if (stream.match(/^[A-Z]\w*/)) return "tagName";
    if (stream.match(/^[a-z_]\w*!?(?=\()/)) return "propertyName";
    if (!stream.match(/^\w+/)) stream.next();
    return null;
  },
};

const mirParser: StreamParser<unknown> = {
  name: "mir",
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match("//")) {
      stream.skipToEnd();
      return "comment";
    }
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return "string";
    if (stream.match(/^[#&]?\d+(?:\.\d+)?(?:e[-+]?\d+)?\b/)) return "number";
    if (stream.match(/^(?:fn|if|else|jump|return|bail|stage|true|false|undefined|null)\b/)) return "keyword";
    if (stream.match(/^\.[\w$]+/)) return "propertyName";
    if (stream.match(/^[A-Z]\w*/)) return "tagName";
    if (stream.match(/^b\d+\b/)) return "atom";
    if (!stream.match(/^\w+/)) stream.next();
    return null;
  },
};

const rust = StreamLanguage.define(rustParser);
const mir = StreamLanguage.define(mirParser);

const ownLook = EditorView.theme({
  "&": { fontSize: "12px" },
  ".cm-lit": { backgroundColor: "color-mix(in srgb, var(--selected) 12%, transparent)", boxShadow: "inset 3px 0 var(--selected)" },
  ".cm-engine-gutter": { minWidth: "14px" },
  ".cm-engine": { display: "grid", placeItems: "center", width: "13px", height: "13px", margin: "2px 1px", borderRadius: "50%", fontSize: "10px", fontWeight: "700", lineHeight: "1", backgroundColor: "var(--warning)", color: "var(--on-accent)" },
});
