'use strict';
// Values on their way between the two sides: JSON, and an object with `$type` for what JSON cannot say (docs/control-protocol.md,
// "Values"). What cannot leave this process is lent by name.

const { NativeHandle, handle } = require('./handles.js');

/** The most things of this side that the other one may know by name; the oldest is forgotten first. */
const MOST_LENT = 10_000;

class Values {
  /**
   * @param {object} native what the other side can be asked: `free(ids)` is told of its things that nobody here holds any more,
   * `props(id)` gives what can be read of one, and what handles.js needs
   */
  constructor(native) {
    this.native = native;
    this.lent = new Map();
    this.names = new WeakMap();
    this.next = 1;
    /** How the names of lent things begin, so that no other process has the same. */
    this.prefix = '';
    this.held = new Map();
    this.gone = new FinalizationRegistry((id) => {
      // (the same handle may have come again in the meantime)
      if (this.held.get(id)?.deref() === undefined) {
        this.held.delete(id);
        native.free([id]);
      }
    });
  }

  /** The text of a value. */
  write(value) {
    return JSON.stringify(this.#plain(value, [], []));
  }

  /** The value of a text. */
  read(text) {
    const value = JSON.parse(text);
    return text.includes('"$type"') ? this.#revive(value) : value;
  }

  // Gives the value itself where it is plain all through.
  #plain(value, above, keys) {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value;
      case 'number':
        if (Number.isFinite(value) && !Object.is(value, -0)) return value;
        return { $type: 'number', value: Object.is(value, -0) ? '-0' : String(value) };
      case 'undefined':
        return { $type: 'undefined' };
      case 'bigint':
        return { $type: 'bigint', value: String(value) };
      case 'object':
        if (value === null) return null;
        break;
      default:
        return this.#lend(value, typeof value);
    }
    const at = above.indexOf(value);
    if (at >= 0) return { $type: 'circular', path: keys.slice(0, at) };
    if (Array.isArray(value)) return this.#array(value, above, keys);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
      const bytes = value instanceof ArrayBuffer ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      return { $type: 'buffer', base64: bytes.toString('base64') };
    }
    if (value instanceof Date) return { $type: 'date', iso: Number.isNaN(value.getTime()) ? null : value.toISOString() };
    if (value instanceof RegExp) return { $type: 'regexp', source: value.source, flags: value.flags };
    if (value instanceof NativeHandle) return { $type: 'handle', kind: value.kind, id: value.id };
    const inside = (inner, key) => {
      above.push(value);
      keys.push(key);
      const plain = this.#plain(inner, above, keys);
      above.pop();
      keys.pop();
      return plain;
    };
    if (value instanceof Map) {
      return { $type: 'map', entries: [...value].map(([key, inner]) => [inside(key, '@'), inside(inner, String(key))]) };
    }
    if (value instanceof Set) return { $type: 'set', values: [...value].map((inner, at) => inside(inner, at)) };
    if (value instanceof Error) {
      const told = { $type: 'error', name: String(value.name), message: String(value.message), stack: String(value.stack ?? '') };
      const more = Object.keys(value).filter((key) => !['name', 'message', 'stack'].includes(key));
      if (more.length > 0) told.properties = Object.fromEntries(more.map((key) => [key, inside(value[key], key)]));
      return told;
    }
    if (isLive(value)) return this.#lend(value, value.constructor?.name || 'object');
    let copy;
    for (const key of Object.keys(value)) {
      const inner = value[key];
      const plain = inside(inner, key);
      if (plain !== inner) (copy ??= { ...value })[key] = plain;
    }
    copy ??= typeof value.toJSON === 'function' ? { ...value } : value;
    // (a class' own way to be written would be asked by JSON.stringify otherwise)
    if (typeof copy.toJSON === 'function') copy.toJSON = undefined;
    return Object.hasOwn(value, '$type') ? { $type: 'object', entries: Object.entries(copy) } : copy;
  }

  #array(value, above, keys) {
    let copy;
    above.push(value);
    for (let at = 0; at < value.length; at++) {
      keys.push(at);
      const plain = this.#plain(value[at], above, keys);
      keys.pop();
      if (plain !== value[at]) (copy ??= value.slice())[at] = plain;
    }
    above.pop();
    return copy ?? value;
  }

  #lend(thing, kind) {
    let id = typeof thing === 'symbol' ? undefined : this.names.get(thing);
    if (id === undefined) {
      id = `${this.prefix}n${this.next++}`;
      if (typeof thing !== 'symbol') this.names.set(thing, id);
    }
    this.lent.delete(id);
    this.lent.set(id, thing);
    if (this.lent.size > MOST_LENT) this.lent.delete(this.lent.keys().next().value);
    return { $type: 'handle', kind, id };
  }

  #handle(kind, id) {
    if (this.lent.has(id)) return this.lent.get(id);
    const known = this.held.get(id)?.deref();
    if (known !== undefined) return known;
    const made = handle(kind, id, this.native);
    this.held.set(id, new WeakRef(made));
    this.gone.register(made, id);
    return made;
  }

  #revive(value) {
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) {
      for (let at = 0; at < value.length; at++) value[at] = this.#revive(value[at]);
      return value;
    }
    switch (value.$type) {
      case undefined:
        break;
      case 'undefined':
        return undefined;
      case 'number':
        return Number(value.value);
      case 'bigint':
        return BigInt(value.value);
      case 'buffer':
        return Buffer.from(value.base64, 'base64');
      case 'date':
        return new Date(value.iso === null ? NaN : value.iso);
      case 'regexp':
        return new RegExp(value.source, value.flags);
      case 'map':
        return new Map(value.entries.map(([key, inner]) => [this.#revive(key), this.#revive(inner)]));
      case 'set':
        return new Set(value.values.map((inner) => this.#revive(inner)));
      case 'error': {
        const error = Object.assign(new Error(value.message), this.#revive(value.properties ?? {}));
        Object.defineProperty(error, 'name', { value: value.name, configurable: true, writable: true });
        error.stack = value.stack;
        return error;
      }
      case 'handle':
        return this.#handle(value.kind, value.id);
      case 'circular':
        return '[Circular]';
      case 'object':
        return Object.fromEntries(value.entries.map(([key, inner]) => [key, this.#revive(inner)]));
    }
    for (const key of Object.keys(value)) {
      const inner = value[key];
      if (inner !== null && typeof inner === 'object') value[key] = this.#revive(inner);
    }
    return value;
  }
}

/** Whether a thing is more than data: a socket, a request, what can be listened to or has functions of its own. */
function isLive(value) {
  const proto = Object.getPrototypeOf(value);
  if (proto === Object.prototype || proto === null) return false;
  if (typeof value.on === 'function' || typeof value.pipe === 'function' || typeof value.then === 'function') return true;
  return Object.values(value).some((inner) => typeof inner === 'function');
}

module.exports = { Values };
