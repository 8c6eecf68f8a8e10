/**
 * Node-RED's Admin API, and what vgdc adds under `/vgdc/v1`.
 *
 * A server without the additions answers 404 there; those calls then give `undefined`, and the editor does without.
 * Everything else that fails throws an `ApiError`.
 */
import type { Json, JsonObject } from "../model/json";
import { memberText } from "../model/text";
import type { NodeType } from "../model/types";

export type DeployType = "full" | "nodes" | "flows";

/** The server refused or could not do something. */
export class ApiError extends Error {
  override readonly name: string = "ApiError";
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** What else the answer says. */
    readonly body: JsonObject = {},
  ) {
    super(message);
  }
}

/** Somebody else deployed since the flow was read: the revision is not the current one. */
export class ConflictError extends ApiError {
  override readonly name = "ConflictError";
}

/** The server wants a login, or the token is no longer valid. */
export class UnauthorizedError extends ApiError {
  override readonly name = "UnauthorizedError";
}

/** The server could not be reached. */
export class OfflineError extends ApiError {
  override readonly name = "OfflineError";
}

/** Flows as the server gave them: as text, so that nothing is lost. */
export interface ServerFlows {
  readonly text: string;
  readonly rev: string;
}

export interface NodeSet {
  readonly id: string;
  readonly name: string;
  readonly types: readonly string[];
  readonly enabled: boolean;
  /** Whether it lies in the flow's folder. */
  readonly local: boolean;
  /** Whether it was installed there; a Node-RED says so of nodes only after its next start. */
  readonly user?: boolean;
  readonly module: string;
  readonly version: string;
  /** The version that is installed, and runs after a restart. */
  readonly pending_version?: string;
  readonly err?: string;
}

/** A package with what it brings. */
export interface Installed {
  readonly name: string;
  readonly version: string;
  readonly pending_version?: string;
  readonly nodes: readonly NodeSet[];
}

export interface Settings extends JsonObject {
  readonly version?: string;
  readonly user?: { readonly username: string; readonly permissions: Json };
}

export type ContextScope = { readonly kind: "global" } | { readonly kind: "flow" | "node"; readonly id: string };

/** A value of a context store: its text, and the form that it was in (`string`, `number`, `Object`, `array[3]` …). */
export interface ContextValue {
  readonly msg: string;
  readonly format: string;
}

export interface Login {
  readonly access_token: string;
  readonly expires_in: number;
  readonly token_type: string;
}

export interface Prompt {
  readonly id: string;
  readonly type: string;
  readonly label: string;
}

export type RuntimeState = "start" | "stop" | "safe";

export interface Diagnostic {
  readonly code: string;
  readonly level: "error" | "warning" | "note";
  readonly node?: string;
  readonly property?: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly help?: string;
  readonly fixes?: readonly Fix[];
}

/** What the compiler offers to do about a diagnostic: to change the flow, or to install a package. */
export type Fix = EditFix | InstallFix;

export interface EditFix {
  readonly title: string;
  readonly edits: readonly { readonly node: string; readonly set?: JsonObject; readonly unset?: readonly string[]; readonly remove?: boolean }[];
}

export interface InstallFix {
  readonly title: string;
  readonly install: string;
}

/** What a server with vgdc's additions says of itself. */
export interface ServerInfo {
  readonly name?: string;
  readonly version?: string;
  readonly features?: readonly string[];
}

/** What the compiler says about a flow. Wires and clones are named `source:port:target`. */
/** What a pass of the compiler did with a node, or did not and why. */
export interface Decision {
  readonly pass: string;
  readonly done: boolean;
  readonly what: string;
}

export interface CheckResult {
  readonly diagnostics: readonly Diagnostic[];
  readonly wires: { readonly [wire: string]: string };
  /** Since which nodes each property on a wire is what it is. */
  readonly since?: { readonly [wire: string]: { readonly [property: string]: readonly string[] } };
  readonly nodes: { readonly [id: string]: { readonly lane: string; readonly why?: string; readonly decisions?: readonly Decision[] } };
  readonly clones: readonly string[];
}

/** A check as it came: what a diagnostic does not say is null there, and missing here. */
export function readCheck(answer: CheckResult): CheckResult {
  const diagnostics = answer.diagnostics.map((each) => Object.fromEntries(Object.entries(each).filter(([, value]) => value !== null)) as unknown as Diagnostic);
  return { ...answer, diagnostics };
}

/** What a deployment does to the nodes that run. Ids in subflows are `INSTANCE-NODE`. */
export interface DeployPreview {
  readonly starts: readonly string[];
  readonly restarts: readonly string[];
  readonly stops: readonly string[];
  readonly keeps: readonly string[];
  /** Why everything restarts. */
  readonly everything: string | null;
  /** Contexts that are forgotten: `node:ID` or `flow:ID`. */
  readonly forgets: readonly { readonly scope: string; readonly keys: readonly string[] }[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface ClientOptions {
  /** The root of the API, with a slash at its end; by default where the page is. */
  readonly root?: string;
  readonly token?: string | undefined;
  readonly fetch?: typeof fetch;
}

export class Client {
  readonly root: string;
  token: string | undefined;
  private readonly request: typeof fetch;

  constructor(options: ClientOptions = {}) {
    this.root = options.root ?? new URL(".", document.baseURI).href;
    this.token = options.token;
    this.request = options.fetch ?? ((...args) => fetch(...args));
  }

  // --- flows

  async flows(): Promise<ServerFlows> {
    const response = await this.call("flows", { headers: { "Node-RED-API-Version": "v2" } });
    const text = await response.text();
    const flows = memberText(text, "flows");
    const rev = memberText(text, "rev");
    if (flows === undefined || rev === undefined) throw new ApiError(response.status, "bad_answer", "the server's answer holds no flows");
    return { text: flows, rev: JSON.parse(rev) as string };
  }

  /**
   * Deploys the text of a flow file and gives its revision. With a `rev` that is not the server's current one, it throws
   * a ConflictError; without one, it overwrites whatever is there.
   */
  async deploy(text: string, options: { type?: DeployType; rev?: string } = {}): Promise<string> {
    const rev = options.rev === undefined ? "" : `,"rev":${JSON.stringify(options.rev)}`;
    const response = await this.call("flows", {
      method: "POST",
      headers: { "Node-RED-API-Version": "v2", "Node-RED-Deployment-Type": options.type ?? "full", "Content-Type": "application/json" },
      body: `{"flows":${text.replace(/^\ufeff/, "")}${rev}}`,
    });
    return ((await response.json()) as { rev: string }).rev;
  }

  /** Makes the server read its flow file again and start it. */
  async reload(): Promise<string> {
    const headers = { "Node-RED-API-Version": "v2", "Node-RED-Deployment-Type": "reload", "Content-Type": "application/json" };
    const response = await this.call("flows", { method: "POST", headers, body: "{}" });
    return ((await response.json()) as { rev: string }).rev;
  }

  async state(): Promise<RuntimeState> {
    return (await this.get<{ state: RuntimeState }>("flows/state")).state;
  }

  /** Starts or stops all flows. Servers that do not allow it answer 404. */
  async setState(state: RuntimeState): Promise<RuntimeState> {
    return (await this.send<{ state: RuntimeState }>("POST", "flows/state", { state })).state;
  }

  // --- what is installed

  nodes(): Promise<NodeSet[]> {
    return this.get("nodes");
  }

  /** Has npm install a package on the server, which may take minutes. Several are installed one after another. */
  install(module: string, version?: string): Promise<Installed> {
    return this.send("POST", "nodes", { module, ...(version === undefined ? {} : { version }) });
  }

  async uninstall(module: string): Promise<void> {
    // (the route of a package with a scope has its two characters as they are)
    await this.call(`nodes/${encodeURIComponent(module).replace(/^%40/, "@").replace("%2F", "/")}`, { method: "DELETE" });
  }

  /** The pages of all node types as HTML, in which Node-RED keeps their forms and help, that in a language. Empty on a server without them. */
  async nodePages(language: string): Promise<string> {
    const response = await this.call("nodes", { headers: { Accept: "text/html", "Accept-Language": language } });
    return response.headers.get("Content-Type")?.includes("html") ? response.text() : "";
  }

  /** A script that such a page names. */
  async script(url: string): Promise<string> {
    const target = new URL(url, this.root);
    if (!target.href.startsWith(this.root)) throw new ApiError(0, "foreign", "it is not of this server");
    const { status, body } = await this.relay(target.href.slice(this.root.length), {});
    if (status !== 200) throw new ApiError(status, String(status), `status ${status}`);
    return body;
  }

  /** What a route answers, whatever the status. */
  async relay(path: string, init: RequestInit): Promise<{ status: number; type: string; body: string }> {
    const headers = new Headers(init.headers);
    if (this.token !== undefined) headers.set("Authorization", `Bearer ${this.token}`);
    const response = await this.request(this.root + path, { ...init, headers, cache: "no-store" });
    return { status: response.status, type: response.headers.get("Content-Type") ?? "", body: await response.text() };
  }

  /** JSON that not every server has. */
  async optional<T>(path: string): Promise<T | undefined> {
    try {
      const response = await this.call(path);
      return response.headers.get("Content-Type")?.includes("json") ? ((await response.json()) as T) : undefined;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  settings(): Promise<Settings> {
    return this.get("settings");
  }

  userSettings(): Promise<JsonObject> {
    return this.get("settings/user");
  }

  async saveUserSettings(settings: JsonObject): Promise<void> {
    await this.call("settings/user", { method: "POST", headers: JSON_BODY, body: JSON.stringify(settings) });
  }

  /** What is known of a node's secrets: their names with `has_`, and those that are no secrets. */
  credentials(type: string, id: string): Promise<JsonObject> {
    return this.get(`credentials/${encodeURIComponent(type.replaceAll(" ", "-"))}/${encodeURIComponent(id)}`);
  }

  diagnostics(): Promise<JsonObject> {
    return this.get("diagnostics");
  }

  // --- running nodes

  /** Presses the button of an inject node; `props` replaces its properties this once. */
  async inject(id: string, props?: readonly Json[]): Promise<void> {
    const body = props === undefined ? "{}" : JSON.stringify({ __user_inject_props__: props });
    await this.call(`inject/${encodeURIComponent(id)}`, { method: "POST", headers: JSON_BODY, body });
  }

  /** Switches debug nodes on or off until the next deploy. */
  async setDebug(ids: readonly string[], active: boolean): Promise<void> {
    const word = active ? "enable" : "disable";
    const [only] = ids;
    if (ids.length === 1) await this.call(`debug/${encodeURIComponent(only!)}/${word}`, { method: "POST", headers: JSON_BODY, body: "{}" });
    else await this.call(`debug/${word}`, { method: "POST", headers: JSON_BODY, body: JSON.stringify({ nodes: ids }) });
  }

  // --- context

  /** All values of a scope, by store and key. */
  context(scope: ContextScope, options: { store?: string; keysOnly?: boolean } = {}): Promise<{ [store: string]: { [key: string]: ContextValue } }> {
    const query = new URLSearchParams();
    if (options.store !== undefined) query.set("store", options.store);
    if (options.keysOnly) query.set("keysOnly", "true");
    return this.get(contextPath(scope) + suffix(query));
  }

  contextValue(scope: ContextScope, key: string, store?: string): Promise<ContextValue> {
    return this.get(`${contextPath(scope)}/${encodeURIComponent(key)}${suffix(storeQuery(store))}`);
  }

  async deleteContext(scope: ContextScope, key: string, store?: string): Promise<void> {
    await this.call(`${contextPath(scope)}/${encodeURIComponent(key)}${suffix(storeQuery(store))}`, { method: "DELETE" });
  }

  // --- who one is

  /** What the server asks for to log in; empty when nothing. */
  async loginPrompts(): Promise<readonly Prompt[]> {
    return (await this.get<{ type?: string; prompts?: Prompt[] }>("auth/login")).prompts ?? [];
  }

  /** Logs in, and uses the token from now on. */
  async login(username: string, password: string, scope: "*" | "read" = "*"): Promise<Login> {
    const login = await this.send<Login>("POST", "auth/token", { client_id: "node-red-editor", grant_type: "password", scope, username, password });
    this.token = login.access_token;
    return login;
  }

  async logout(): Promise<void> {
    if (this.token === undefined) return;
    await this.call("auth/revoke", { method: "POST", headers: JSON_BODY, body: JSON.stringify({ token: this.token }) });
    this.token = undefined;
  }

  // --- what vgdc adds

  /** What the server can do beyond Node-RED. */
  info(): Promise<ServerInfo | undefined> {
    return this.extra("info");
  }

  /** Descriptors of all node types. */
  types(): Promise<readonly NodeType[] | undefined> {
    return this.extra("types");
  }

  /** Checks the text of a flow file without deploying it. */
  async check(text: string): Promise<CheckResult | undefined> {
    const answer = await this.extra<CheckResult>("check", { method: "POST", headers: JSON_BODY, body: text });
    return answer && readCheck(answer);
  }

  /** What deploying the text of a flow file in this manner would start, restart and stop. */
  preview(text: string, type: DeployType): Promise<DeployPreview | undefined> {
    return this.extra("preview", { method: "POST", headers: JSON_BODY, body: bodyWith(text, { type }) });
  }

  /** Any other call of `/vgdc/v1/…`; undefined when the server does not know it. */
  async extra<T>(path: string, init: RequestInit = {}): Promise<T | undefined> {
    try {
      const response = await this.call(`vgdc/v1/${path}`, init);
      const type = response.headers.get("Content-Type") ?? "";
      // A static server may answer every path with its page.
      return type.includes("json") ? ((await response.json()) as T) : undefined;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** A call of `/vgdc/v1/…` of which also "not found" is an answer. */
  ask(path: string, init: RequestInit = {}): Promise<Response> {
    return this.call(`vgdc/v1/${path}`, init);
  }

  // --- details

  private async get<T>(path: string): Promise<T> {
    return json<T>(await this.call(path));
  }

  private async send<T>(method: string, path: string, body: unknown): Promise<T> {
    return json<T>(await this.call(path, { method, headers: JSON_BODY, body: JSON.stringify(body) }));
  }

  private async call(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has("Accept")) headers.set("Accept", "application/json");
    if (this.token !== undefined) headers.set("Authorization", `Bearer ${this.token}`);
    let response: Response;
    try {
      response = await this.request(this.root + path, { ...init, headers, cache: "no-store" });
    } catch (error) {
      throw new OfflineError(0, "offline", error instanceof Error ? error.message : String(error));
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  }
}

/** A body of JSON with the text of a flow file as `flows`, just as it is written. */
export function bodyWith(flows: string, more: JsonObject): string {
  return `{"flows":${flows.replace(/^\ufeff/, "")},${JSON.stringify(more).slice(1)}`;
}

export const JSON_BODY = { "Content-Type": "application/json" };

function contextPath(scope: ContextScope): string {
  return scope.kind === "global" ? "context/global" : `context/${scope.kind}/${encodeURIComponent(scope.id)}`;
}

function storeQuery(store: string | undefined): URLSearchParams {
  return new URLSearchParams(store === undefined ? {} : { store });
}

function suffix(query: URLSearchParams): string {
  return query.size > 0 ? `?${query}` : "";
}

async function json<T>(response: Response): Promise<T> {
  const text = await response.text();
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ApiError(response.status, "bad_answer", "the server's answer is not JSON");
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  let body: JsonObject & { code?: string; message?: string; error?: string } = {};
  try {
    body = JSON.parse(text) as typeof body;
  } catch {
    // Not every error has a body of JSON; its text, if short, is all that there is to say.
    body = { message: text.length < 200 && !text.includes("<") ? text : response.statusText };
  }
  const code = body.code ?? body.error ?? String(response.status);
  const message = body.message ?? response.statusText;
  if (response.status === 409) return new ConflictError(409, code, message, body as JsonObject);
  if (response.status === 401) return new UnauthorizedError(401, code, message, body as JsonObject);
  return new ApiError(response.status, code, message, body as JsonObject);
}
