/**
 * The page's end of the channel to a frame with packages' code: makes the frame, starts it, passes its requests on while
 * it is open, and hands over what is well formed.
 */
import type { Session } from "../app/session";
import { readMessage, type FromFrame, type Start, type ToFrame } from "./protocol";
import { allowedPath } from "./requests";

const FRAME = "frame.html";
const ASSETS = { code: "frame-code.js", icons: "frame-icons.css" } as const;
const LARGEST = 5_000_000;
const REQUEST_MS = 15_000;
const AT_ONCE = 20;

/** What the frame's owner hears; requests are dealt with here. */
export type Heard = Exclude<FromFrame, { readonly kind: "hello" | "fetch" | "asset" }>;

export interface LinkOptions {
  readonly session: Session;
  readonly start: () => Start;
  readonly hear: (message: Heard) => void;
  /** Whether packages may ask their own routes on the server: only while somebody works with a form of theirs. */
  readonly requests: boolean;
}

export class FrameLink {
  private readonly channel = new MessageChannel();
  private open = 0;
  private closed = false;

  /** Loads the frame into an element that is in the page already. */
  constructor(
    private readonly element: HTMLIFrameElement,
    private readonly options: LinkOptions,
  ) {
    // An opaque origin: not ours, and nobody's.
    element.setAttribute("sandbox", "allow-scripts");
    element.addEventListener("load", () => this.handOver(), { once: true });
    this.channel.port1.onmessage = (event) => this.take(event.data);
    element.src = new URL(FRAME, document.baseURI).href;
  }

  send(message: ToFrame): void {
    if (!this.closed) this.channel.port1.postMessage(message);
  }

  close(): void {
    this.closed = true;
    this.channel.port1.onmessage = null;
    this.channel.port1.close();
  }

  private handOver(): void {
    // The frame has no origin to name: the port is for whoever is in this very frame.
    this.element.contentWindow?.postMessage("vgdc", "*", [this.channel.port2]);
  }

  private take(data: unknown): void {
    if (this.closed) return;
    const message = readMessage(data);
    if (!message) return console.warn("a frame said what nobody understands");
    if (message.kind === "hello") this.send(this.options.start());
    else if (message.kind === "fetch") void this.answer(message.request, () => this.fetch(message));
    else if (message.kind === "asset") void this.answer(message.request, () => this.asset(message.name));
    else this.options.hear(message);
  }

  /** Answers a request; one that cannot be answered, or may not be, has the status 0. */
  private async answer(request: number, get: () => Promise<{ status: number; type: string; body: string }>): Promise<void> {
    const refused = { status: 0, type: "text/plain", body: "" };
    this.open += 1;
    const answer = this.open > AT_ONCE ? refused : await get().catch(() => refused);
    this.open -= 1;
    this.send({ kind: "answer", request, ...answer });
  }

  private async fetch({ method, path, type, body }: Extract<FromFrame, { kind: "fetch" }>) {
    const { client } = this.options.session;
    const allowed = this.options.requests ? allowedPath(path, client.root) : undefined;
    if (allowed === undefined) throw new Error("refused");
    const answer = await client.relay(allowed, { method, signal: AbortSignal.timeout(REQUEST_MS), ...(method === "POST" ? { body, headers: { "Content-Type": type || "application/json" } } : {}) });
    return answer.body.length > LARGEST ? { ...answer, status: 0, body: "" } : answer;
  }

  private async asset(name: keyof typeof ASSETS) {
    const response = await fetch(new URL(ASSETS[name], document.baseURI), { signal: AbortSignal.timeout(REQUEST_MS) });
    return { status: response.status, type: response.headers.get("Content-Type") ?? "", body: await response.text() };
  }
}

/** The colours in use; those of the system when the user has not chosen. */
export function themeOf(chosen: "system" | "light" | "dark"): "light" | "dark" {
  return chosen === "system" ? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light") : chosen;
}
