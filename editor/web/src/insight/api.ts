/**
 * What a compiler adds to Node-RED's API: generated code, tests, the recording. `docs/editor-api.md` describes it.
 *
 * `flows` is always the draft, as the editor has it: what is deployed is one undo away from it, not the other way round.
 */
import { ApiError, JSON_BODY } from "../api/client";
import type { Session } from "../app/session";
import type { Json, JsonObject } from "../model/json";

// --- generated code

/** What became of a text of a node, or (without a property) of the node itself. */
export interface CodePart {
  readonly property: string | null;
  readonly function?: number | null;
  readonly why?: string | null;
  readonly line?: number | null;
  readonly construct?: string | null;
  readonly did?: readonly string[];
}

/** Where a line of generated code comes from: a line (from 1) of the text of one of the function's nodes; 0 is the node as such. */
export type Origin = readonly [node: number, line: number] | null;

export interface CodeFunction {
  readonly number: number;
  readonly nodes: readonly string[];
  readonly mir: string;
  readonly mirLines: readonly Origin[];
  readonly rust: string;
  readonly rustLines: readonly Origin[];
}

export interface CodeAnswer {
  readonly id: string;
  readonly parts: readonly CodePart[];
  readonly functions: readonly CodeFunction[];
  readonly left: readonly { readonly property: string; readonly line: number; readonly construct: string }[];
}

// --- tests

export interface TestProblem {
  readonly line: number;
  readonly message: string;
}

export interface TestFile {
  readonly file: string;
  readonly text: string | null;
  readonly tests: readonly { readonly name: string; readonly line: number; readonly skip: string | null }[];
  readonly problems: readonly TestProblem[];
}

export interface TestCase {
  readonly name: string;
  readonly line: number;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly ms: number;
  readonly why?: string | null;
  readonly failures: readonly { readonly line: number; readonly message: string; readonly detail: readonly string[] }[];
}

export interface Coverage {
  readonly nodes: { readonly [id: string]: boolean };
  readonly wires: { readonly [wire: string]: boolean };
}

export interface TestReport {
  readonly cases: readonly TestCase[];
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly coverage: Coverage;
}

// --- the recording

export interface FlowEvent extends JsonObject {
  readonly seq: number;
  readonly ts: number;
  readonly node: string;
  readonly kind: string;
}

export interface Recording {
  readonly recording: boolean;
  readonly first: number | null;
  readonly last: number | null;
  readonly lost: number;
}

export interface HistoryAnswer extends Recording {
  readonly events: readonly FlowEvent[];
}

export interface ReplayDifference {
  readonly node: string;
  readonly kind: string;
  readonly at: number;
  readonly recorded: FlowEvent | null;
  readonly replayed: FlowEvent | null;
  readonly path: string | null;
}

export interface ReplayAnswer {
  readonly inputs: number;
  readonly events: readonly FlowEvent[];
  readonly same: number;
  readonly differences: readonly ReplayDifference[];
  readonly notes: readonly string[];
}

export class Insight {
  constructor(private readonly session: Session) {}

  /** What became of a node's code; an ApiError `no_code` says why nothing did. */
  code(id: string): Promise<CodeAnswer> {
    return this.post(`code/${encodeURIComponent(id)}`, {});
  }

  tests(): Promise<TestFile> {
    return this.get("tests");
  }

  /** Writes the test file, if on the disk it is still what it was `before`; else a ConflictError. */
  saveTests(text: string, before: string | null): Promise<TestFile> {
    return this.send("PUT", "tests", JSON.stringify({ text, before }));
  }

  runTests(text: string, filter?: string): Promise<TestReport> {
    return this.post("tests/run", { text, ...(filter === undefined ? {} : { filter }) });
  }

  async recordTests(text: string | null): Promise<string> {
    return (await this.post<{ text: string }>("tests/record", text === null ? {} : { text })).text;
  }

  history(query: { node?: string; after?: number; before?: number; limit?: number }): Promise<HistoryAnswer> {
    const parameters = Object.entries(query).map(([name, value]) => [name, String(value)]);
    return this.get(`history?${new URLSearchParams(parameters)}`);
  }

  setHistory(change: { recording?: boolean; clear?: boolean }): Promise<Recording> {
    return this.send("POST", "history", JSON.stringify(change));
  }

  /** Lets a message come to a node that runs; false when it does not run. */
  async receive(id: string, msg: Json): Promise<boolean> {
    try {
      await this.session.client.ask(`receive/${encodeURIComponent(id)}`, { method: "POST", headers: JSON_BODY, body: JSON.stringify({ msg }) });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return false;
      throw error;
    }
  }

  replay(range: { from?: number; to?: number }): Promise<ReplayAnswer> {
    return this.post("replay", range);
  }

  private async get<T>(path: string): Promise<T> {
    return (await (await this.session.client.ask(path)).json()) as T;
  }

  /** With the draft as `flows`: its own text, which need not be made anew. */
  private post<T>(path: string, body: JsonObject): Promise<T> {
    const rest = JSON.stringify(body).slice(1, -1);
    const flows = this.session.document.text().replace(/^\ufeff/, "");
    return this.send("POST", path, `{"flows":${flows}${rest === "" ? "" : `,${rest}`}}`);
  }

  private async send<T>(method: string, path: string, body: string): Promise<T> {
    return (await (await this.session.client.ask(path, { method, headers: JSON_BODY, body })).json()) as T;
  }
}

const all = new WeakMap<Session, Insight>();

export function insightOf(session: Session): Insight {
  let insight = all.get(session);
  if (!insight) all.set(session, (insight = new Insight(session)));
  return insight;
}
