/**
 * The frame's end of the channel to the page.
 */
import type { FromFrame, ToFrame } from "../hosted/protocol";

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export class Channel {
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private count = 0;

  constructor(private readonly port: MessagePort) {}

  /** Calls `hear` with each message; answers to requests go to who asked. */
  listen(hear: (message: ToFrame) => void): void {
    this.port.onmessage = (event: MessageEvent<ToFrame>) => {
      const message = event.data;
      if (message.kind !== "answer") return hear(message);
      this.waiting.get(message.request)?.(message);
      this.waiting.delete(message.request);
    };
  }

  send(message: FromFrame): void {
    this.port.postMessage(message);
  }

  /** Asks the page for something that the frame cannot get by itself. */
  ask(make: (request: number) => FromFrame): Promise<Answer> {
    const request = (this.count += 1);
    return new Promise((resolve) => {
      this.waiting.set(request, resolve);
      this.send(make(request));
    });
  }
}

/** Waits for the page to hand over its end; only the first one is taken. */
export function connected(): Promise<Channel> {
  return new Promise((resolve) => {
    const take = (event: MessageEvent<unknown>) => {
      const [port] = event.ports;
      if (event.source !== window.parent || !port) return;
      window.removeEventListener("message", take);
      resolve(new Channel(port));
    };
    window.addEventListener("message", take);
  });
}
