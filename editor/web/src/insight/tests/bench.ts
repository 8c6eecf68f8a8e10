/**
 * The tests of the flow: the file's text as it is edited, and what came of running it on the draft. It stays while the
 * panel is closed. It knows nothing of React.
 */
import { ApiError, ConflictError } from "../../api/client";
import { readSetting, writeSetting } from "../../app/local";
import { messageOf, type Session } from "../../app/session";
import { Store } from "../../app/store";
import { t } from "../../messages";
import { insightOf, type Coverage, type TestCase, type TestFile, type TestProblem } from "../api";

const DELAY = 800;

/** What is known of the file on the disk. */
export type FileState = { readonly kind: "loading" } | { readonly kind: "failed"; readonly why: string } | { readonly kind: "ready"; readonly file: string; readonly saved: string | null };

export interface Results {
  readonly cases: readonly TestCase[];
  /** Of the last time that all tests ran. */
  readonly coverage: Coverage | undefined;
  /** The flow or the tests have changed since. */
  readonly stale: boolean;
}

/** A test, and what came of it when it ran last. */
export interface Line {
  readonly name: string;
  readonly line: number;
  readonly skip: string | null;
  readonly result: TestCase | undefined;
}

const NONE: Results = { cases: [], coverage: undefined, stale: false };

export class TestBench {
  readonly file = new Store<FileState>({ kind: "loading" });
  readonly text = new Store("");
  readonly tests = new Store<TestFile["tests"]>([]);
  readonly problems = new Store<readonly TestProblem[]>([]);
  readonly results = new Store<Results>(NONE);
  readonly running = new Store(false);
  /** Why the last run, save or recording did not come about. */
  readonly failure = new Store("");
  /** Somebody else wrote the file. */
  readonly conflict = new Store(false);
  /** Whether the tests run after every change. */
  readonly auto = new Store(readSetting("tests.auto", false));
  /** A line that the editor has to show. */
  readonly wanted = new Store<{ readonly line: number } | null>(null);
  /** When the file has been read, or could not be. */
  readonly ready: Promise<void>;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private again = false;

  constructor(private readonly session: Session) {
    session.editor.subscribe(() => this.changed());
    this.auto.subscribe(() => {
      writeSetting("tests.auto", this.auto.get());
      this.changed();
    });
    if (typeof addEventListener === "function") addEventListener("beforeunload", (event) => this.isChanged && event.preventDefault());
    this.ready = this.load();
  }

  get isChanged(): boolean {
    const file = this.file.get();
    return file.kind === "ready" && this.text.get() !== (file.saved ?? "");
  }

  /** All tests in their order, with what came of each. */
  lines(): Line[] {
    const { cases } = this.results.get();
    const byName = new Map(cases.map((each) => [each.name, each]));
    const named = this.tests.get().map(({ name, line, skip }) => ({ name, line, skip, result: byName.get(name) }));
    const known = new Set(named.map((each) => each.name));
    return [...named, ...cases.filter((each) => !known.has(each.name)).map((each) => ({ name: each.name, line: each.line, skip: null, result: each }))];
  }

  setText(text: string): void {
    if (text === this.text.get()) return;
    this.text.set(text);
    this.changed();
  }

  /** Reads the file; what was edited here is lost. */
  async load(): Promise<void> {
    try {
      this.take(await insightOf(this.session).tests());
      this.text.set(this.savedText());
      this.conflict.set(false);
      this.failure.set("");
      this.changed();
    } catch (error) {
      this.file.set({ kind: "failed", why: messageOf(error) });
    }
  }

  /** Writes the file. With `force`, over what somebody else wrote. */
  async save(force = false): Promise<boolean> {
    const file = this.file.get();
    if (file.kind !== "ready") return false;
    const text = this.text.get();
    try {
      const before = force ? (await insightOf(this.session).tests()).text : file.saved;
      this.take(await insightOf(this.session).saveTests(text, before));
      this.conflict.set(false);
      this.failure.set("");
      this.session.notify("success", t("tests.saved", { file: file.file }));
      return true;
    } catch (error) {
      if (error instanceof ConflictError) this.conflict.set(true);
      else this.failure.set(t("tests.not-saved", { reason: messageOf(error) }));
      return false;
    }
  }

  /** Runs all tests on the draft, or those whose names contain one of these. */
  async run(names?: readonly string[]): Promise<void> {
    if (this.running.get()) {
      this.again = true;
      return;
    }
    clearTimeout(this.timer);
    this.running.set(true);
    const text = this.text.get();
    const revision = this.session.editor.revision;
    try {
      if (names === undefined) {
        const report = await insightOf(this.session).runTests(text);
        this.results.set({ cases: report.cases, coverage: report.coverage, stale: false });
        this.tests.set(report.cases.map(({ name, line, why, outcome }) => ({ name, line, skip: outcome === "skipped" ? (why ?? "") : null })));
      } else {
        for (const name of names) this.merge((await insightOf(this.session).runTests(text, name)).cases);
      }
      this.problems.set([]);
      this.failure.set("");
    } catch (error) {
      const problems = error instanceof ApiError ? error.body["problems"] : undefined;
      if (Array.isArray(problems)) this.problems.set(problems as unknown as readonly TestProblem[]);
      this.failure.set(t("tests.not-run", { reason: messageOf(error) }));
    } finally {
      this.running.set(false);
    }
    if (text !== this.text.get() || revision !== this.session.editor.revision) this.changed();
    if (this.again) {
      this.again = false;
      void this.run();
    }
  }

  runFailed(): Promise<void> {
    return this.run(this.results.get().cases.filter((each) => each.outcome === "failed").map((each) => each.name));
  }

  /** Writes what happens as expectations into tests that have none; a first draft where there is no test. */
  async record(): Promise<void> {
    const text = this.text.get();
    this.running.set(true);
    try {
      this.setText(await insightOf(this.session).recordTests(text.trim() === "" ? null : text));
      this.failure.set("");
    } catch (error) {
      const problems = error instanceof ApiError ? error.body["problems"] : undefined;
      if (Array.isArray(problems)) this.problems.set(problems as unknown as readonly TestProblem[]);
      this.failure.set(t("tests.not-recorded", { reason: messageOf(error) }));
    } finally {
      this.running.set(false);
    }
  }

  goTo(line: number): void {
    this.wanted.set({ line });
  }

  private take({ file, text, tests, problems }: TestFile): void {
    this.file.set({ kind: "ready", file, saved: text });
    this.tests.set(tests);
    this.problems.set(problems);
  }

  private savedText(): string {
    const file = this.file.get();
    return file.kind === "ready" ? (file.saved ?? "") : "";
  }

  private merge(cases: readonly TestCase[]): void {
    const newer = new Map(cases.map((each) => [each.name, each]));
    this.results.update((now) => {
      const kept = now.cases.map((each) => newer.get(each.name) ?? each);
      const known = new Set(kept.map((each) => each.name));
      return { ...now, cases: [...kept, ...cases.filter((each) => !known.has(each.name))] };
    });
  }

  /** The flow or the tests are others: what is known is of before. */
  private changed(): void {
    this.results.update((now) => (now === NONE || now.stale ? now : { ...now, stale: true }));
    clearTimeout(this.timer);
    if (this.auto.get() && this.text.get().trim() !== "") this.timer = setTimeout(() => void this.run(), DELAY);
  }
}

const all = new WeakMap<Session, TestBench>();

export function benchOf(session: Session): TestBench {
  let bench = all.get(session);
  if (!bench) all.set(session, (bench = new TestBench(session)));
  return bench;
}
