"use strict";
// Both ends of a link, as docs/link-protocol.md describes them.

const { Kind, Code, DURABLE, FAST, MAX_MESSAGE } = require("./frames");
const values = require("./values");

const BATCH_BYTES = 32 * 1024;
const BATCH_MESSAGES = 1024;

/** The sending end. A durable one keeps what is not confirmed in memory: it survives connections, not the process. */
class Sender {
  constructor(connection, name, { delivery = "fast", epoch = 0, queue = 10000 } = {}) {
    Object.assign(this, { connection, name, epoch, limit: queue });
    this.durable = delivery === "durable";
    this.instance = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
    // What is kept: [bytes, message or message with its trace].
    this.queue = [];
    this.front = 0;
    this.sent = 0;
    this.state = "away";
    this.waiting = [];
    this.ended = null;
    this.closing = false;
    this.closed = false;
  }

  /** Takes a message; resolves when there was room for it. `trace`: { traceparent, tracestate } of W3C. */
  async send(message, { trace } = {}) {
    const bytes = values.encode(message);
    if (bytes.length > MAX_MESSAGE) throw new Error(`a message of ${bytes.length} bytes is longer than the ${MAX_MESSAGE} that a link carries`);
    while (this.queue.length >= this.limit && !this.ended) await this.changes();
    if (this.ended) throw new Error(`the link has ended: ${this.ended}`);
    if (this.closing) throw new Error("the link is closed");
    const item = trace ? [bytes, trace.traceparent, ...(trace.tracestate ? [trace.tracestate] : [])] : bytes;
    this.queue.push([bytes.length, item]);
    this.connection.wake();
  }

  /** Resolves when all has been sent, on a durable link confirmed. */
  async drained() {
    while (this.queue.length && !this.ended) await this.changes();
    if (this.ended) throw new Error(`the link has ended: ${this.ended}`);
  }

  /** Takes no more; when all is sent (durable: confirmed) the link is closed. */
  async close() {
    this.closing = true;
    this.connection.wake();
    while (!this.closed && !this.ended && this.state !== "away") await this.changes();
  }

  changes() {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  changed() {
    this.waiting.splice(0).forEach((resolve) => resolve());
  }

  connected(link) {
    Object.assign(this, { link, sent: 0, state: this.ended || this.closed ? "away" : "toOpen" });
  }

  disconnected() {
    Object.assign(this, { sent: 0, state: "away" });
    this.changed();
  }

  ack([, , epoch, confirmed, received]) {
    if (epoch !== this.epoch || (this.state !== "opening" && this.state !== "open")) return;
    if (this.durable) {
      const gone = Math.min(Math.max(confirmed - this.front, 0), this.queue.length);
      this.queue.splice(0, gone);
      this.front += gone;
      this.sent = Math.max(this.sent - gone, 0);
      if (this.state === "opening") this.sent = Math.min(Math.max(received - this.front, 0), this.queue.length);
    }
    this.state = "open";
    this.changed();
  }

  credit([, , messages, bytes]) {
    this.credits = { messages, bytes };
  }

  fault(code, text) {
    this.sent = 0;
    this.state = "away";
    if (code === Code.STALE_EPOCH || code === Code.DELIVERY) this.ended = text;
    else if (code === Code.GAP) this.state = "toOpen";
    else {
      const link = this.link;
      setTimeout(() => {
        if (this.link === link && this.state === "away" && this.connection.ready) {
          this.state = "toOpen";
          this.connection.wake();
        }
      }, 200);
    }
    this.changed();
  }

  /** Hands what may be written to `write`. */
  poll(write) {
    if (this.state === "toOpen") {
      this.credits = { messages: 0, bytes: 0 };
      this.used = { messages: 0, bytes: 0 };
      write([Kind.OPEN, this.link, this.name, this.epoch, this.instance, this.front, this.durable ? DURABLE : FAST]);
      this.state = "opening";
    }
    if (this.state !== "open") return;
    let [at, took] = [this.sent, 0];
    for (;;) {
      const items = [];
      let bytes = 0;
      while (at < this.queue.length && items.length < BATCH_MESSAGES) {
        const [length, item] = this.queue[at];
        const more = bytes + length;
        if (this.used.messages + items.length >= this.credits.messages) break;
        if (this.used.bytes + more > this.credits.bytes || (items.length && more > BATCH_BYTES)) break;
        items.push(item);
        bytes = more;
        at += 1;
      }
      if (!items.length) break;
      write([Kind.BATCH, this.link, this.epoch, this.front + at - items.length, items]);
      this.used.messages += items.length;
      this.used.bytes += bytes;
      took += items.length;
    }
    this.sent = at;
    if (took && !this.durable) {
      this.queue.splice(0, at);
      this.front += at;
      this.sent = 0;
    }
    if (this.closing && !this.queue.length) {
      write([Kind.CLOSE, this.link]);
      this.closed = true;
      this.state = "away";
      this.connection.forget(this);
    }
    if (took || this.closed) this.changed();
  }
}

/** The receiving end. Messages are handed to `handler(message, about)` one after the other; when it has done (its promise is
 * kept) the message is confirmed. `about`: { position, trace }. */
class Receiver {
  constructor(connection, name, { delivery = "fast", window = 4096, start = null } = {}, handler) {
    Object.assign(this, { connection, name, window, handler });
    this.durable = delivery === "durable";
    this.windowBytes = 2 * MAX_MESSAGE;
    // The message expected next: { epoch, instance, sequence }.
    this.expected = start;
    this.generation = 0;
    this.held = [];
    this.heldBytes = 0;
    this.lost = 0;
    this.duplicates = 0;
    this.link = null;
    this.running = false;
  }

  opened([, link, name, epoch, instance, first, delivery]) {
    if ((delivery === DURABLE) !== this.durable) {
      return [Code.DELIVERY, `link '${name}' is ${this.durable ? "durable" : "fast"} at the receiver and not at the sender`];
    }
    const known = this.expected;
    if (known && known.epoch > epoch) return [Code.STALE_EPOCH, `link '${name}' is in epoch ${known.epoch}; a sender of epoch ${epoch} may send no more`];
    if (known && known.epoch === epoch && known.instance === instance) {
      this.lost += Math.max(first - known.sequence, 0);
      known.sequence = Math.max(first, known.sequence);
    } else {
      this.expected = { epoch, instance, sequence: first };
      this.generation += 1;
    }
    Object.assign(this, { link, told: null, given: { messages: 0, bytes: 0 }, used: { messages: 0, bytes: 0 } });
    return null;
  }

  batch([, , epoch, first, items]) {
    const expected = this.expected;
    if (epoch !== expected.epoch) return [Code.STALE_EPOCH, `link '${this.name}' is in epoch ${expected.epoch}`];
    if (first > expected.sequence) {
      if (this.durable) {
        this.link = null;
        return [Code.GAP, `${first - expected.sequence} messages are missing on link '${this.name}': open it again`];
      }
      this.lost += first - expected.sequence;
      expected.sequence = first;
    }
    items.forEach((item, at) => {
      const [bytes, traceparent, tracestate] = Array.isArray(item) ? item : [item];
      this.used.messages += 1;
      this.used.bytes += bytes.length;
      if (first + at < expected.sequence) {
        this.duplicates += 1;
        return;
      }
      const position = { ...expected };
      const trace = traceparent ? { traceparent, tracestate } : null;
      this.held.push({ generation: this.generation, position, trace, bytes });
      this.heldBytes += bytes.length;
      expected.sequence += 1;
    });
    if (this.used.messages > this.given.messages || this.used.bytes > this.given.bytes) throw new Error("more was sent than there was credit for");
    this.run();
    return null;
  }

  async run() {
    if (this.running) return;
    this.running = true;
    let done = 0;
    while (this.held.length > done) {
      const { bytes, position, trace } = this.held[done];
      try {
        // (not waited for where there is nothing to wait for: that takes a turn a message)
        const result = this.handler(values.decode(bytes), { position, trace });
        if (result && typeof result.then === "function") await result;
      } catch (error) {
        this.connection.emit("failed", error, this.name, position);
      }
      this.heldBytes -= bytes.length;
      done += 1;
      if (done >= 512 || done === this.held.length) {
        this.held.splice(0, done);
        done = 0;
        this.connection.wake();
      }
    }
    this.running = false;
  }

  disconnected() {
    this.link = null;
  }

  poll(write) {
    if (this.link === null) return;
    const { expected, given, used } = this;
    const first = this.held.find((held) => held.generation === this.generation);
    const confirmed = first ? first.position.sequence : expected.sequence;
    if (this.told === null || (this.durable && confirmed !== this.told)) {
      write([Kind.ACK, this.link, expected.epoch, confirmed, expected.sequence]);
      this.told = confirmed;
    }
    const messages = used.messages + this.window - this.held.length;
    const bytes = used.bytes + this.windowBytes - this.heldBytes;
    const worth = (could, had, has, window, held) =>
      could > had && had - has <= window / 2 && (could - had >= window / 4 || !held);
    if (
      worth(messages, given.messages, used.messages, this.window, this.held.length) ||
      worth(bytes, given.bytes, used.bytes, this.windowBytes, this.heldBytes)
    ) {
      this.given = { messages: Math.max(messages, given.messages), bytes: Math.max(bytes, given.bytes) };
      write([Kind.CREDIT, this.link, this.given.messages, this.given.bytes]);
    }
  }
}

module.exports = { Receiver, Sender };
