/**
 * The editor of a test file: the code editor with YAML, and with failures at their lines. This module is only ever
 * imported dynamically: YAML is loaded for it alone.
 */
import { yaml } from "@codemirror/lang-yaml";
import { setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { createEditor } from "../../forms/code/editor";

export interface LineMark {
  readonly line: number;
  readonly message: string;
}

export interface TestEditor {
  setValue(value: string): void;
  mark(lines: readonly LineMark[]): void;
  goTo(line: number): void;
  destroy(): void;
}

export function createTestEditor(options: { readonly parent: HTMLElement; readonly value: string; readonly label: string; readonly onChange: (value: string) => void }): TestEditor {
  const editor = createEditor({ ...options, language: "text", words: { syntax: "", brackets: "" }, extensions: yaml() });
  const { view } = editor;
  return {
    setValue: (value) => editor.setValue(value),
    mark(lines) {
      const found = lines.flatMap(({ line, message }): Diagnostic[] => {
        if (line < 1 || line > view.state.doc.lines) return [];
        const { from, to, text } = view.state.doc.line(line);
        return [{ from: Math.min(to, from + text.length - text.trimStart().length), to, severity: "error", message }];
      });
      view.dispatch(setDiagnostics(view.state, found));
    },
    goTo: (line) => editor.focus(Math.min(line, view.state.doc.lines)),
    destroy: () => editor.destroy(),
  };
}
