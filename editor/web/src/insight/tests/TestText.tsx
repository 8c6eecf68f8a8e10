/**
 * The text of the test file, as a component: what editor.ts makes, and a text area when that cannot be loaded.
 */
import { useEffect, useRef, useState } from "react";
import { useSession, useStore } from "../../app/react";
import { messageOf } from "../../app/session";
import { t } from "../../messages";
import { benchOf } from "./bench";
import type { LineMark, TestEditor } from "./editor";

export function TestText({ label }: { label: string }) {
  const session = useSession();
  const bench = benchOf(session);
  const text = useStore(bench.text);
  const problems = useStore(bench.problems);
  const results = useStore(bench.results);
  const wanted = useStore(bench.wanted);
  const place = useRef<HTMLDivElement>(null);
  const [editor, setEditor] = useState<TestEditor>();
  const [problem, setProblem] = useState("");

  useEffect(() => {
    let made: TestEditor | undefined;
    let gone = false;
    import("./editor").then(
      ({ createTestEditor }) => {
        if (gone || !place.current) return;
        made = createTestEditor({ parent: place.current, value: bench.text.get(), label, onChange: (value) => bench.setText(value) });
        setEditor(made);
      },
      (error: unknown) => setProblem(messageOf(error)),
    );
    return () => {
      gone = true;
      made?.destroy();
    };
  }, [bench, label]);
  useEffect(() => editor?.setValue(text), [editor, text]);
  useEffect(() => {
    const failures = results.cases.flatMap((each) => each.failures.map(({ line, message, detail }): LineMark => ({ line, message: [message, ...detail].join("\n") })));
    // What the editor shows now may be another text than the one that ran: then its lines say nothing.
    editor?.mark([...problems, ...(results.stale ? [] : failures)]);
  }, [editor, problems, results]);
  useEffect(() => {
    if (!wanted || !editor) return;
    editor.goTo(wanted.line);
    bench.wanted.set(null);
  }, [editor, wanted, bench]);

  return (
    <div className="viewer">
      <div ref={place} className="viewer-place" hidden={problem !== ""} />
      {problem !== "" && <textarea className="tests-plain" aria-label={label} spellCheck={false} value={text} onChange={(event) => bench.setText(event.target.value)} />}
      {!editor && <p className="code-loading">{problem === "" ? t("code.loading") : t("code.failed", { reason: problem })}</p>}
    </div>
  );
}
