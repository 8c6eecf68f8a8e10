/**
 * Requests of forms: the frame itself may connect to nothing, so jQuery's and fetch's go to the page, which decides.
 */
import type { Channel } from "./channel";
import { $, type Any } from "./globals";

/** Puts the page in the place of the network. */
export function throughThePage(channel: Channel): void {
  const ask = (method: string, path: string, type: string, body: string) =>
    method === "GET" || method === "POST" ? channel.ask((request) => ({ kind: "fetch", request, method, path, type, body })) : Promise.resolve({ status: 405, type: "text/plain", body: "" });

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
}

function textOf(data: unknown): string {
  return typeof data === "string" ? data : data === undefined || data === null ? "" : data instanceof URLSearchParams ? data.toString() : JSON.stringify(data);
}
