// TextEncoder, TextDecoder, structuredClone.
(function (native) {
  class TextEncoder {
    get encoding() { return "utf-8"; }
    encode(text = "") { return native.encode(String(text), "utf8"); }
    encodeInto(text, target) {
      let read = 0;
      let written = 0;
      for (const character of String(text)) {
        const bytes = native.encode(character, "utf8");
        if (written + bytes.length > target.length) break;
        target.set(bytes, written);
        written += bytes.length;
        read += character.length;
      }
      return { read, written };
    }
  }

  const labels = { "utf-8": "utf-8", utf8: "utf-8", "utf-16le": "utf-16le", "utf-16": "utf-16le", latin1: "windows-1252",
    "iso-8859-1": "windows-1252", ascii: "windows-1252", "windows-1252": "windows-1252" };
  class TextDecoder {
    #encoding;
    #fatal;
    #ignoreBOM;
    constructor(label = "utf-8", options = {}) {
      this.#encoding = labels[String(label).trim().toLowerCase()];
      if (this.#encoding === undefined) {
        throw Object.assign(new RangeError(`The "${label}" encoding is not supported`), { code: "ERR_ENCODING_NOT_SUPPORTED" });
      }
      this.#fatal = Boolean(options.fatal);
      this.#ignoreBOM = Boolean(options.ignoreBOM);
    }
    get encoding() { return this.#encoding; }
    get fatal() { return this.#fatal; }
    get ignoreBOM() { return this.#ignoreBOM; }
    decode(input = new Uint8Array()) {
      const bytes = input instanceof ArrayBuffer ? new Uint8Array(input) : new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
      if (this.#fatal && this.#encoding === "utf-8" && !native.validUtf8(bytes)) {
        throw Object.assign(new TypeError("The encoded data was not valid for encoding utf-8"), { code: "ERR_ENCODING_INVALID_ENCODED_DATA" });
      }
      const text = native.decode(bytes, this.#encoding === "windows-1252" ? "latin1" : this.#encoding, 0, bytes.length);
      return !this.#ignoreBOM && text.startsWith("\uFEFF") ? text.slice(1) : text;
    }
  }

  const structuredClone = function structuredClone(value) {
    const refuse = (what) => {
      throw Object.assign(new Error(`${what} could not be cloned.`), { name: "DataCloneError", code: 25 });
    };
    const seen = new Map();
    const copy = (value) => {
      if (typeof value === "function") return refuse(String(value));
      if (typeof value === "symbol") return refuse(String(value));
      if (typeof value !== "object" || value === null) return value;
      if (seen.has(value)) return seen.get(value);
      const keep = (made) => { seen.set(value, made); return made; };
      if (value instanceof Date) return keep(new Date(value.getTime()));
      if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
      if (value instanceof ArrayBuffer) return keep(value.slice(0));
      if (ArrayBuffer.isView(value)) return keep(new Uint8Array(value));
      if (value instanceof Map) {
        const made = keep(new Map());
        for (const [key, item] of value) made.set(copy(key), copy(item));
        return made;
      }
      if (value instanceof Set) {
        const made = keep(new Set());
        for (const item of value) made.add(copy(item));
        return made;
      }
      if (value instanceof Error) {
        const made = keep(new Error(value.message));
        Object.defineProperty(made, "name", { value: value.name, configurable: true, writable: true });
        Object.defineProperty(made, "stack", { value: value.stack, configurable: true, writable: true });
        return made;
      }
      if (value instanceof Number || value instanceof String || value instanceof Boolean) return keep(Object(value.valueOf()));
      if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) return refuse(`#<${value.constructor.name}>`);
      const made = keep(Array.isArray(value) ? [] : {});
      if (Array.isArray(value)) made.length = value.length;
      for (const key of Object.keys(value)) made[key] = copy(value[key]);
      return made;
    };
    return copy(value);
  };
  return { TextEncoder, TextDecoder, structuredClone };
});
