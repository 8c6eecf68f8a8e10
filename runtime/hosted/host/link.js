'use strict';
// The link to the native side: frames of a length (32 bits, little-endian) and that many bytes of JSON, both ways.

const { writeSync, readSync } = require('node:fs');

/** What may wait for the other side to read it. Beyond, what nodes send is dropped, counted and said. */
const MOST_WAITING = 64 << 20;
/** A batch is handed over once it has this many characters, or at the end of the turn. */
const BATCH = 1 << 16;

class Link {
  /** @param {import('node:net').Socket} socket @param {(text: string) => void} frame */
  constructor(socket, frame) {
    this.socket = socket;
    this.batch = [];
    this.size = 0;
    this.due = false;
    this.later = setImmediate;
    this.dropped = 0;
    this.sent = 0;
    let parts = [];
    let have = 0;
    let want = 4;
    let head = true;
    socket.on('data', (chunk) => {
      parts.push(chunk);
      have += chunk.length;
      while (have >= want) {
        const bytes = parts.length === 1 ? parts[0] : Buffer.concat(parts, have);
        const part = bytes.subarray(0, want);
        const rest = bytes.subarray(want);
        parts = rest.length > 0 ? [rest] : [];
        have = rest.length;
        if (head) {
          want = part.readUInt32LE(0);
          head = want === 0;
          if (head) want = 4;
        } else {
          head = true;
          want = 4;
          frame(part.toString());
        }
      }
    });
  }

  /** Sends one frame, after what waits in the batch. */
  frame(text) {
    this.flush();
    this.#write(text);
  }

  /** Few messages came: what they lead to is not held back for more. */
  set light(light) {
    this.later = light ? process.nextTick : setImmediate;
  }

  /** Adds something that a node did, as JSON, to the batch. */
  add(text, droppable) {
    if (droppable && this.socket.writableLength > MOST_WAITING) {
      this.dropped += 1;
      return;
    }
    this.sent += 1;
    this.batch.push(text);
    this.size += text.length;
    if (this.size > BATCH) this.flush();
    else if (!this.due) {
      this.due = true;
      this.later(() => {
        this.due = false;
        this.flush();
      });
    }
  }

  flush() {
    if (this.batch.length === 0) return;
    const text = `["out",[${this.batch.join(',')}]]`;
    this.batch = [];
    this.size = 0;
    this.#write(text);
  }

  #write(text) {
    const length = Buffer.byteLength(text);
    const bytes = Buffer.allocUnsafe(4 + length);
    bytes.writeUInt32LE(length, 0);
    bytes.write(text, 4);
    this.socket.write(bytes);
  }
}

/** Asks and waits for the answer, which nothing else in this process may come between: what is asked is answered at once. */
class Line {
  constructor(fd) {
    this.fd = fd;
  }

  ask(text) {
    const length = Buffer.byteLength(text);
    const bytes = Buffer.allocUnsafe(4 + length);
    bytes.writeUInt32LE(length, 0);
    bytes.write(text, 4);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at);
    return this.#read(this.#read(4).readUInt32LE(0)).toString();
  }

  #read(length) {
    const bytes = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; ) {
      const read = readSync(this.fd, bytes, at, length - at, null);
      if (read === 0) throw new Error('the native side has closed the line');
      at += read;
    }
    return bytes;
  }
}

module.exports = { Link, Line };
