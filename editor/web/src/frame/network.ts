/**
 * Requests of forms: the frame itself may connect to nothing, so those of jQuery, of fetch and of scripts that are added
 * go to the page, which decides.
 */
import type { Answer, Channel } from "./channel";
import { $, type Any } from "./globals";

/** Puts the page in the place of the network. */
export function throughThePage(channel: Channel): void {
  const ask = async (method: string, path: string, type: string, body: string): Promise<Answer> => {
    if (method !== "GET" && method !== "POST") return { status: 405, type: "text/plain", body: "" };
    pending += 1;
    const answer = await channel.ask((request) => ({ kind: "fetch", request, method, path, type, body }));
    // What follows from an answer (a script that it names) is asked for before anybody goes on.
    setTimeout(() => (pending -= 1), 20);
    return answer;
  };

  $.ajaxTransport("+*", (options: Any) => ({
    send: (_headers: unknown, complete: Any) => {
      const type = typeof options.contentType === "string" ? options.contentType : "";
      void ask(String(options.type).toUpperCase(), options.url, type, textOf(options.data)).then((answer) => complete(answer.status, answer.status < 400 ? "success" : "error", { text: answer.body }, `content-type: ${answer.type}`));
    },
    abort: () => undefined,
  }));

  window.fetch = async (input, init) => {
    const path = typeof input === "string" ? input : input instanceof URL ? input.href : input.url;
    const type = new Headers(init?.headers).get("Content-Type") ?? "";
    const answer = await ask((init?.method ?? "GET").toUpperCase(), path, type, textOf(init?.body));
    if (answer.status === 0) throw new TypeError("refused");
    return new Response(answer.body, { status: answer.status, headers: { "Content-Type": answer.type } });
  };

  // A script by its address would come without cookies from this frame; its text comes from the page instead.
  Object.defineProperty(HTMLScriptElement.prototype, "src", {
    configurable: true,
    get(this: HTMLScriptElement) {
      return this.dataset["source"] ?? "";
    },
    set(this: HTMLScriptElement, path: string) {
      this.dataset["source"] = path;
      void ask("GET", path, "", "").then(({ status, body }) => {
        if (status === 200) run(body);
        this.dispatchEvent(new Event(status === 200 ? "load" : "error"));
      });
    },
  });
}

let pending = 0;
const PATIENCE_MS = 2000;

/** Waits until what pages have asked for while they ran is here, but not for ever. */
export async function quiet(): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (pending > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
}

function run(code: string): void {
  const script = document.createElement("script");
  script.textContent = code;
  document.head.append(script);
  script.remove();
}

function textOf(data: unknown): string {
  return typeof data === "string" ? data : data === undefined || data === null ? "" : data instanceof URLSearchParams ? data.toString() : JSON.stringify(data);
}
