/**
 * A text to be read, as a component: what viewer.ts makes, loaded when the first one is shown.
 */
import { useEffect, useRef, useState } from "react";
import { messageOf } from "../../app/session";
import { t } from "../../messages";
import type { Viewer as Made, ViewerLanguage, ViewerOptions } from "./viewer";

interface Props {
  readonly label: string;
  readonly text: string;
  readonly language: ViewerLanguage;
  readonly lit: readonly number[];
  /** Whether what is lit has to be brought into view. */
  readonly scroll: boolean;
  readonly marks?: ReadonlyMap<number, string>;
  readonly onLine: ViewerOptions["onLine"];
}

const NO_MARKS: ReadonlyMap<number, string> = new Map();

export function Viewer({ label, text, language, lit, scroll, marks = NO_MARKS, onLine }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(onLine);
  latest.current = onLine;
  const [viewer, setViewer] = useState<Made>();
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let current: Made | undefined;
    let gone = false;
    import("./viewer").then(
      ({ createViewer }) => {
        if (gone || !place.current) return;
        current = createViewer({ parent: place.current, label, onLine: (line, how) => latest.current(line, how) });
        setViewer(current);
      },
      (error: unknown) => setProblem(messageOf(error)),
    );
    return () => {
      gone = true;
      current?.destroy();
    };
  }, [label]);
  useEffect(() => viewer?.show(text, language), [viewer, text, language]);
  useEffect(() => viewer?.mark(marks), [viewer, marks, text]);
  useEffect(() => viewer?.light(lit, scroll), [viewer, lit, scroll, text]);
  return (
    <div className="viewer">
      <div ref={place} className="viewer-place" />
      {!viewer && <p className="code-loading">{problem === "" ? t("code.loading") : t("code.failed", { reason: problem })}</p>}
    </div>
  );
}
