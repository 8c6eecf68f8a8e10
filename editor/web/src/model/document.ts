/**
 * An open flow: the text that it came from, the editor that changes it, and secrets that wait for the next deploy.
 *
 * Secrets are never part of the flow's objects: they are not in the history, not in what is copied or exported, and
 * only `deployText` brings them in, as Node-RED's API expects it.
 */
import { Editor } from "./edit";
import { Flow, type FlowNode } from "./flow";
import { isObject, type Json, type JsonObject } from "./json";
import { blank, parse, print, type FlowText } from "./text";

export class FlowDocument {
  readonly editor: Editor;
  private file: FlowText;
  private readonly secrets = new Map<string, JsonObject>();

  constructor(file: FlowText = blank()) {
    this.file = file;
    this.editor = new Editor(Flow.fromText(file));
  }

  /** Opens the text of a flow file. Throws FlowSyntaxError. */
  static open(text: string): FlowDocument {
    return new FlowDocument(parse(text));
  }

  /** Another file in place of this one; unsaved changes, history and secrets are gone. */
  replace(file: FlowText): void {
    this.file = file;
    this.secrets.clear();
    this.editor.load(Flow.fromText(file));
  }

  /** The file as it would be saved. */
  text(): string {
    return print(this.file, this.editor.flow.entries());
  }

  /** The file with the secrets that were changed since the last deploy. */
  deployText(): string {
    return print(this.file, this.withSecrets());
  }

  /** Secrets of a node for the next deploy; `__PWRD__` keeps what the server has. */
  setCredentials(id: string, values: JsonObject): void {
    this.secrets.set(id, { ...this.secrets.get(id), ...values });
  }

  credentialsOf(id: string): JsonObject {
    return this.secrets.get(id) ?? {};
  }

  get hasCredentials(): boolean {
    return this.secrets.size > 0;
  }

  /** The server has taken what `deployText` gives now. */
  markDeployed(): void {
    this.prepareDeploy().done();
  }

  /** What to send, and what to call when the server has taken it: what was edited in between stays marked. */
  prepareDeploy(): { readonly text: string; readonly done: () => void } {
    const text = this.deployText();
    const snapshot = this.editor.snapshot();
    const sent = new Map(this.secrets);
    const done = () => {
      for (const [id, values] of sent) if (this.secrets.get(id) === values) this.secrets.delete(id);
      this.editor.markDeployed(snapshot);
    };
    return { text, done };
  }

  private *withSecrets(): Generator<readonly [string, Json]> {
    for (const [key, value] of this.editor.flow.entries()) {
      const secrets = this.secrets.get(key);
      yield secrets && isObject(value) ? [key, { ...(value as FlowNode), credentials: secrets }] : [key, value];
    }
  }
}
