"use strict";
// A client of vgdc's link protocol (docs/link-protocol.md):
//
//   const { connect } = require("vgdc-link");
//   const connection = connect("tcp://127.0.0.1:7700", { node: "camera" });
//   const out = connection.sender("pictures", { delivery: "durable" });
//   await out.send({ payload: 1 });
//   connection.receiver("commands", {}, async (msg, { trace }) => { … });
//
// It connects again when the connection breaks, until `close`. Events: "connected", "disconnected" (why), "failed" (what a
// handler threw). Big integers of less than 64 bits become numbers on the way, and -0 becomes 0: that is how cbor-x writes them.

const { EventEmitter } = require("node:events");
const net = require("node:net");
const { Kind, Code, SKIPPABLE, Reader, encode } = require("./frames");
const { Receiver, Sender } = require("./ends");
const { Circular } = require("./values");

const VERSION = 1;

class Connection extends EventEmitter {
  constructor(address, { node, peer = null, pingAfter = 500, deadAfter = 1500, backoff = [50, 2000] }) {
    super();
    if (!node) throw new Error("say who you are: { node: NAME }");
    Object.assign(this, { target: target(address), node, peer, pingAfter, deadAfter, backoff });
    this.senders = [];
    this.receivers = new Map();
    this.ready = false;
    this.pause = 0;
    this.start();
  }

  /** The sending end of a link: { delivery: "fast" | "durable", epoch, queue }. */
  sender(name, options) {
    const sender = new Sender(this, name, options);
    this.senders.push(sender);
    if (this.ready) this.open(sender);
    return sender;
  }

  /** The receiving end of a link: { delivery, window, start }, and what takes its messages. */
  receiver(name, options, handler) {
    if (this.receivers.has(name)) throw new Error(`there is a receiver of link '${name}' already`);
    const receiver = new Receiver(this, name, options, handler);
    this.receivers.set(name, receiver);
    return receiver;
  }

  /** Closes the links, when what they have is sent, and the connection. */
  async close() {
    this.closing = true;
    await Promise.all(this.senders.map((sender) => sender.close()));
    clearTimeout(this.retry);
    if (this.ready) {
      this.flush();
      this.socket.end(Buffer.concat(encode([Kind.CLOSE, null])));
    } else {
      this.socket.destroy();
    }
  }

  start() {
    const socket = net.connect(this.target);
    Object.assign(this, { socket, reader: new Reader(), links: new Map(), outgoing: new Map(), numbers: 0, heard: Date.now() });
    this.write = (frame) => this.chunks.push(...encode(frame));
    this.chunks = [];
    socket.setNoDelay(true);
    socket.on("connect", () => {
      this.write([Kind.HELLO, VERSION, VERSION, this.node, {}]);
      this.wake();
    });
    socket.on("data", (chunk) => {
      this.heard = Date.now();
      try {
        for (const frame of this.reader.frames(chunk)) this.frame(frame);
        this.flush();
      } catch (error) {
        socket.destroy(error);
      }
    });
    socket.on("drain", () => this.flush());
    socket.on("error", (error) => (this.why = error));
    socket.on("close", () => this.ended());
    this.timer = setInterval(() => {
      const silent = Date.now() - this.heard;
      if (silent > this.deadAfter) socket.destroy(new Error(`the other side has been silent for ${silent} ms`));
      else if (this.ready && silent > this.pingAfter) {
        this.write([Kind.PING, 0]);
        this.flush();
      }
    }, this.pingAfter / 2);
  }

  ended() {
    clearInterval(this.timer);
    const was = this.ready;
    this.ready = false;
    this.senders.forEach((sender) => sender.disconnected());
    this.receivers.forEach((receiver) => receiver.disconnected());
    this.emit("disconnected", this.why || null);
    this.why = null;
    if (this.closing) return;
    const [least, most] = this.backoff;
    this.pause = was ? least : Math.min(Math.max(this.pause * 2, least), most);
    this.retry = setTimeout(() => this.start(), this.pause * (0.5 + Math.random() / 2));
  }

  open(sender) {
    this.numbers += 1;
    this.outgoing.set(this.numbers, sender);
    sender.connected(this.numbers);
    this.wake();
  }

  forget(sender) {
    this.senders = this.senders.filter((other) => other !== sender);
    this.outgoing.delete(sender.link);
  }

  frame(frame) {
    const [kind, link] = frame;
    if (kind === Kind.FAULT && link == null) throw new Error(String(frame[3]));
    if (!this.ready) {
      if (kind !== Kind.WELCOME) throw new Error("the other side does not answer with its name");
      const [, version, name] = frame;
      if (version !== VERSION) throw new Error(`the other side chose version ${version}`);
      if (this.peer && this.peer !== name) throw new Error(`'${name}' answered where '${this.peer}' was expected`);
      this.ready = true;
      this.senders.forEach((sender) => this.open(sender));
      this.emit("connected", name);
      return;
    }
    const outgoing = this.outgoing.get(link);
    const incoming = this.links.get(link);
    const refused = (fault) => fault && this.write([Kind.FAULT, link, ...fault]);
    switch (kind) {
      case Kind.OPEN: {
        const receiver = this.receivers.get(frame[2]);
        if (!receiver) return refused([Code.UNKNOWN_LINK, `'${this.node}' has no receiver of link '${frame[2]}'`]);
        const fault = receiver.opened(frame);
        if (fault) return refused(fault);
        this.links.set(link, receiver);
        return;
      }
      case Kind.BATCH:
        if (incoming && incoming.link === link) refused(incoming.batch(frame));
        return;
      case Kind.CLOSE:
        if (link == null) this.socket.end();
        else if (incoming) {
          incoming.disconnected();
          this.links.delete(link);
          this.emit("closed", incoming.name);
        }
        return;
      case Kind.ACK:
        return outgoing && outgoing.ack(frame);
      case Kind.CREDIT:
        return outgoing && outgoing.credit(frame);
      case Kind.FAULT:
        return outgoing && outgoing.fault(frame[2], frame[3]);
      case Kind.PING:
        return this.write([Kind.PONG, link]);
      case Kind.PONG:
        return;
      default:
        if (!(kind >= SKIPPABLE)) throw new Error(`a frame is of kind ${kind}, which may not be skipped`);
    }
  }

  /** There is something to write: it is, with what comes in the same turn. */
  wake() {
    if (this.woken) return;
    this.woken = true;
    setImmediate(() => this.flush());
  }

  flush() {
    this.woken = false;
    if (this.socket.writableNeedDrain || this.socket.destroyed) return;
    if (this.ready) {
      for (const receiver of this.links.values()) receiver.poll(this.write);
      for (const sender of this.senders) sender.poll(this.write);
    }
    const chunks = this.chunks.splice(0);
    if (chunks.length) this.socket.write(Buffer.concat(chunks));
  }
}

function target(address) {
  const tcp = /^tcp:\/\/\[?([^\]]+)\]?:(\d+)$/.exec(address);
  if (tcp) return { host: tcp[1], port: Number(tcp[2]) };
  const unix = /^unix:(?:\/\/)?(.+)$/.exec(address);
  if (unix) return { path: unix[1] };
  throw new Error(`'${address}' is no address of a link: write tcp://HOST:PORT or unix:PATH`);
}

/** A connection to a process with links, e.g. `tcp://127.0.0.1:7700` or `unix:/run/agent.sock`. */
const connect = (address, options) => new Connection(address, options);

module.exports = { Circular, Connection, connect };
