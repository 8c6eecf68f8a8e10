"use strict";
// Frames: a length (u32, little-endian) and a CBOR array of the kind and its fields.

const values = require("./values");

const Kind = { HELLO: 0, WELCOME: 1, OPEN: 2, BATCH: 3, ACK: 4, CREDIT: 5, CLOSE: 6, FAULT: 7, PING: 8, PONG: 9 };
const Code = {
  PROTOCOL: 1, VERSION: 2, UNKNOWN_LINK: 3, STALE_EPOCH: 4, SUPERSEDED: 5, GAP: 6, CREDIT: 7, DELIVERY: 8, LEAVING: 9, REFUSED: 10,
};
const MAX_MESSAGE = 16 * 1024 * 1024;
const MAX_FRAME = MAX_MESSAGE + 64 * 1024;
/** Kinds from here on are skipped by who does not know them. */
const SKIPPABLE = 128;

function encode(frame) {
  const body = values.encode(frame);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32LE(body.length);
  return [length, body];
}

/** Cuts what arrives into frames. */
class Reader {
  constructor() {
    this.chunks = [];
    this.length = 0;
  }

  /** The frames that are complete with this chunk. */
  *frames(chunk) {
    this.chunks.push(chunk);
    this.length += chunk.length;
    if (this.wanted && this.length < this.wanted) return;
    let buffer = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks);
    this.wanted = 0;
    let at = 0;
    while (buffer.length - at >= 4) {
      const length = buffer.readUInt32LE(at);
      if (length > MAX_FRAME) throw new Error(`a frame of ${length} bytes is too long`);
      if (buffer.length - at < 4 + length) {
        this.wanted = 4 + length;
        break;
      }
      const frame = values.decode(buffer.subarray(at + 4, at + 4 + length));
      if (!Array.isArray(frame)) throw new Error("a frame is no array");
      at += 4 + length;
      yield frame;
    }
    buffer = buffer.subarray(at);
    this.chunks = buffer.length ? [buffer] : [];
    this.length = buffer.length;
  }
}

module.exports = { Kind, Code, FAST: 0, DURABLE: 1, MAX_MESSAGE, SKIPPABLE, Reader, encode };
