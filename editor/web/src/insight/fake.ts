/**
 * For tests: a session with a server that answers what is written down for it.
 */
import { Client } from "../api/client";
import { Comms } from "../api/comms";
import { Session } from "../app/session";
import type { Json } from "../model/json";
import { parse } from "../model/text";

export type Answers = { [request: string]: (body: { [key: string]: unknown }, query: URLSearchParams) => unknown };

/** An answer that is a refusal. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly body: unknown,
  ) {}
}

export function sessionWith(flows: readonly Json[], answers: Answers): { session: Session; asked: string[]; comms: Comms } {
  const asked: string[] = [];
  const fake: typeof fetch = async (input, init) => {
    const url = new URL(String(input));
    const request = `${init?.method ?? "GET"} ${url.pathname.slice("/vgdc/v1/".length)}`;
    asked.push(request);
    const answer = answers[request];
    if (!answer) return new Response("", { status: 404 });
    const made = answer(init?.body === undefined ? {} : (JSON.parse(String(init.body)) as { [key: string]: unknown }), url.searchParams);
    if (made === undefined) return new Response(null, { status: 204 });
    const [status, body] = made instanceof Refusal ? [made.status, made.body] : [200, made];
    return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
  };
  const comms = new Comms("ws://127.0.0.1:1/comms");
  const session = new Session({ client: new Client({ root: "http://server/", fetch: fake }), comms });
  session.open(parse(JSON.stringify(flows)));
  return { session, asked, comms };
}

/** Waits until something holds. */
export async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 200; i += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("it never came true");
}
