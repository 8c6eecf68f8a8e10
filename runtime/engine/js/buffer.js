// Node's Buffer over Uint8Array. Texts and searches are done natively.
// Evaluates to a function of the native helpers; returns the Buffer class.
(function (native) {
  class FastBuffer extends Uint8Array {}
  const proto = FastBuffer.prototype;
  const define = (target, name, value) =>
    Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
  const fail = (Class, code, message) => Object.assign(new Class(message), { code });
  const become = (bytes) => Object.setPrototypeOf(bytes, proto);
  const isBytes = (value) => value instanceof Uint8Array || native.isBytes(value);

  function Buffer(value, encoding, length) {
    return typeof value === "number" ? Buffer.alloc(value) : Buffer.from(value, encoding, length);
  }
  Buffer.prototype = proto;
  define(proto, "constructor", Buffer);
  Object.setPrototypeOf(Buffer, Uint8Array);
  Object.defineProperty(Buffer, Symbol.species, { get: () => FastBuffer, configurable: true });
  Buffer.poolSize = 8192;

  const describe = (value) => {
    if (value === null || value === undefined) return ` Received ${value}`;
    if (typeof value === "object" && value.constructor?.name) return ` Received an instance of ${value.constructor.name}`;
    const text = String(value);
    const shown = typeof value === "string" ? `'${text.length > 28 ? text.slice(0, 25) + "..." : text}'` : typeof value === "bigint" ? text + "n" : text;
    return ` Received type ${typeof value} (${shown})`;
  };
  const fromList = (list) => {
    const length = Number(list.length) > 0 ? Math.trunc(list.length) : 0;
    const out = new FastBuffer(length);
    for (let at = 0; at < length; at++) out[at] = list[at];
    return out;
  };

  define(Buffer, "from", function from(value, encoding, length) {
    if (typeof value === "string") return become(native.encode(value, encoding));
    if (typeof value === "object" && value !== null) {
      if (value instanceof ArrayBuffer) return new FastBuffer(value, encoding, length);
      if (isBytes(value)) return new FastBuffer(value);
      if (Array.isArray(value) || ArrayBuffer.isView(value)) return fromList(value);
      const inner = value.valueOf?.();
      if (inner !== null && inner !== undefined && inner !== value && (typeof inner === "string" || typeof inner === "object")) {
        return Buffer.from(inner, encoding, length);
      }
      if (value.type === "Buffer" && Array.isArray(value.data)) return fromList(value.data);
      if (value.length !== undefined) return fromList(value);
      if (typeof value[Symbol.toPrimitive] === "function") {
        const primitive = value[Symbol.toPrimitive]("string");
        if (typeof primitive === "string") return Buffer.from(primitive, encoding);
      }
    }
    throw fail(TypeError, "ERR_INVALID_ARG_TYPE",
      "The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object." + describe(value));
  });
  const size = (length) => {
    if (typeof length !== "number") {
      throw fail(TypeError, "ERR_INVALID_ARG_TYPE", `The "size" argument must be of type number.${describe(length)}`);
    }
    if (!(length >= 0 && length <= 2 ** 32)) {
      throw fail(RangeError, "ERR_OUT_OF_RANGE", `The value of "size" is out of range. It must be >= 0 && <= 9007199254740991. Received ${length}`);
    }
    return length;
  };
  define(Buffer, "alloc", function alloc(length, fill, encoding) {
    const out = new FastBuffer(size(length));
    return fill === undefined || length === 0 ? out : out.fill(fill, encoding);
  });
  define(Buffer, "allocUnsafe", function allocUnsafe(length) { return new FastBuffer(size(length)); });
  define(Buffer, "allocUnsafeSlow", Buffer.allocUnsafe);
  define(Buffer, "of", function of(...items) { return fromList(items); });
  define(Buffer, "isBuffer", function isBuffer(value) { return value instanceof Buffer; });
  define(Buffer, "isEncoding", function isEncoding(name) {
    return typeof name === "string" && /^(utf-?8|latin1|binary|ascii|ucs-?2|utf-?16le|hex|base64|base64url)$/i.test(name);
  });
  define(Buffer, "byteLength", function byteLength(value, encoding) {
    if (typeof value === "string") return native.byteLength(value, Buffer.isEncoding(encoding) ? encoding : "utf8");
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
    throw fail(TypeError, "ERR_INVALID_ARG_TYPE",
      `The "string" argument must be of type string or an instance of Buffer or ArrayBuffer.${describe(value)}`);
  });
  define(Buffer, "compare", function compare(a, b) { return native.compare(a, b); });
  define(Buffer, "concat", function concat(list, total) {
    if (!Array.isArray(list)) {
      throw fail(TypeError, "ERR_INVALID_ARG_TYPE", `The "list" argument must be an instance of Array.${describe(list)}`);
    }
    const length = total === undefined ? list.reduce((sum, item) => sum + item.length, 0) : total >>> 0;
    const out = new FastBuffer(length);
    let at = 0;
    for (let index = 0; index < list.length; index++) {
      let item = list[index];
      if (!isBytes(item)) {
        throw fail(TypeError, "ERR_INVALID_ARG_TYPE",
          `The "list[${index}]" argument must be an instance of Buffer or Uint8Array.${describe(item)}`);
      }
      if (at + item.length > length) item = item.subarray(0, length - at);
      out.set(item, at);
      at += item.length;
    }
    return out;
  });

  const methods = {
    toString(encoding, start, end) {
      const from = start === undefined ? 0 : Math.trunc(Number(start)) || 0;
      const to = end === undefined ? this.length : Math.trunc(Number(end)) || 0;
      return native.decode(this, encoding, from, to);
    },
    toJSON() { return { type: "Buffer", data: Array.from(this) }; },
    equals(other) {
      if (!isBytes(other)) {
        throw fail(TypeError, "ERR_INVALID_ARG_TYPE",
          `The "otherBuffer" argument must be an instance of Buffer or Uint8Array.${describe(other)}`);
      }
      return native.compare(this, other) === 0;
    },
    compare(other, targetStart = 0, targetEnd = other.length, start = 0, end = this.length) {
      return native.compare(this.subarray(start, end), other.subarray(targetStart, targetEnd));
    },
    subarray(start, end) { return become(Uint8Array.prototype.subarray.call(asBytes(this), start, end)); },
    slice(start, end) { return this.subarray(start, end); },
    write(text, offset, length, encoding) {
      if (typeof offset === "string") [offset, length, encoding] = [0, undefined, offset];
      else if (typeof length === "string") [length, encoding] = [undefined, length];
      offset = offset === undefined ? 0 : offset;
      checkOffset(this, offset, 0, "offset");
      const room = Math.min(length === undefined ? Infinity : length, this.length - offset);
      let bytes = native.encode(String(text), encoding);
      if (bytes.length > room) {
        bytes = bytes.subarray(0, room);
        // Characters are written whole or not at all.
        if (encoding === undefined || /^utf-?8$/i.test(encoding)) {
          let end = bytes.length;
          while (end > 0 && !native.validUtf8(bytes.subarray(0, end))) end--;
          bytes = bytes.subarray(0, end);
        }
      }
      this.set(bytes, offset);
      return bytes.length;
    },
    copy(target, targetStart = 0, start = 0, end = this.length) {
      const room = target.length - targetStart;
      const part = Uint8Array.prototype.subarray.call(asBytes(this), start, Math.min(end, start + Math.max(room, 0)));
      target.set(part, targetStart);
      return part.length;
    },
    fill(value, offset, end, encoding) {
      if (typeof offset === "string") [offset, end, encoding] = [0, this.length, offset];
      else if (typeof end === "string") [end, encoding] = [this.length, end];
      offset = offset === undefined ? 0 : offset;
      end = end === undefined ? this.length : end;
      if (typeof value === "number" || typeof value === "boolean") {
        Uint8Array.prototype.fill.call(this, Number(value) & 255, offset, end);
        return this;
      }
      const pattern = typeof value === "string" ? native.encode(value, encoding) : value;
      if (pattern.length === 0) {
        Uint8Array.prototype.fill.call(this, 0, offset, end);
        return this;
      }
      for (let at = offset; at < end; at++) this[at] = pattern[(at - offset) % pattern.length];
      return this;
    },
    indexOf(value, offset, encoding) { return search(this, value, offset, encoding, false); },
    lastIndexOf(value, offset, encoding) { return search(this, value, offset, encoding, true); },
    includes(value, offset, encoding) { return search(this, value, offset, encoding, false) !== -1; },
    swap16() { return swap(this, 2, 16); },
    swap32() { return swap(this, 4, 32); },
    swap64() { return swap(this, 8, 64); },
    inspect() {
      const shown = Array.from(this.subarray(0, 50), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
      const more = this.length > 50 ? ` ... ${this.length - 50} more byte${this.length > 51 ? "s" : ""}` : "";
      return `<Buffer${shown ? " " + shown : ""}${more}>`;
    },
    toLocaleString(encoding, start, end) { return this.toString(encoding, start, end); },
  };
  // A view of plain class: subarray of a Buffer would ask the species constructor for each part.
  const asBytes = (buffer) => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);

  const search = (buffer, value, offset, encoding, backwards) => {
    if (typeof offset === "string") [offset, encoding] = [undefined, offset];
    let needle;
    if (typeof value === "string") needle = native.encode(value, encoding);
    else if (typeof value === "number") needle = new Uint8Array([value]);
    else if (isBytes(value)) needle = value;
    else {
      throw fail(TypeError, "ERR_INVALID_ARG_TYPE",
        `The "value" argument must be one of type number or string or an instance of Buffer or Uint8Array.${describe(value)}`);
    }
    let from = offset === undefined || Number.isNaN(Number(offset)) ? (backwards ? buffer.length : 0) : Math.trunc(Number(offset));
    if (from < 0) {
      from += buffer.length;
      if (from < 0) {
        if (backwards) return -1;
        from = 0;
      }
    }
    return native.indexOf(buffer, needle, from, backwards);
  };
  const swap = (buffer, width, bits) => {
    if (buffer.length % width !== 0) {
      throw fail(RangeError, "ERR_INVALID_BUFFER_SIZE", `Buffer size must be a multiple of ${bits}-bits`);
    }
    for (let at = 0; at < buffer.length; at += width) Uint8Array.prototype.reverse.call(asBytes(buffer).subarray(at, at + width));
    return buffer;
  };

  const checkOffset = (buffer, offset, width, name = "offset") => {
    if (typeof offset !== "number") {
      throw fail(TypeError, "ERR_INVALID_ARG_TYPE", `The "${name}" argument must be of type number.${describe(offset)}`);
    }
    if (Number.isInteger(offset) && offset >= 0 && offset + width <= buffer.length) return;
    if (!Number.isInteger(offset)) {
      throw fail(RangeError, "ERR_OUT_OF_RANGE", `The value of "${name}" is out of range. It must be an integer. Received ${offset}`);
    }
    if (buffer.length - width < 0) {
      throw fail(RangeError, "ERR_BUFFER_OUT_OF_BOUNDS", "Attempt to access memory outside buffer bounds");
    }
    throw fail(RangeError, "ERR_OUT_OF_RANGE",
      `The value of "${name}" is out of range. It must be >= 0 and <= ${buffer.length - width}. Received ${offset}`);
  };
  const grouped = (value) => {
    const text = String(value);
    const digits = typeof value === "bigint" || Math.abs(value) > 2 ** 32 ? text.replace(/\B(?=(\d{3})+$)/g, "_") : text;
    return typeof value === "bigint" ? digits + "n" : digits;
  };
  const checkValue = (value, low, high, width) => {
    // (not a number is in every range, as Node.js asks)
    if (!(value < low || value > high)) return;
    const n = typeof value === "bigint" ? "n" : "";
    const bits = width * 8;
    const range = width > 4
      ? low < 0 || low < 0n ? `>= -(2${n} ** ${bits - 1}${n}) and < 2${n} ** ${bits - 1}${n}` : `>= 0${n} and < 2${n} ** ${bits}${n}`
      : `>= ${low}${n} and <= ${high}${n}`;
    throw fail(RangeError, "ERR_OUT_OF_RANGE", `The value of "value" is out of range. It must be ${range}. Received ${grouped(value)}`);
  };
  const view = (buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  const fixed = (name, width, low, high, aliases) => {
    for (const [suffix, little] of width === 1 ? [["", true]] : [["LE", true], ["BE", false]]) {
      methods[`read${name}${suffix}`] = function (offset = 0) {
        checkOffset(this, offset, width);
        return view(this)[`get${kind(name)}`](offset, little);
      };
      methods[`write${name}${suffix}`] = function (value, offset = 0) {
        if (low !== undefined) {
          if (typeof low === "number") value = +value;
          checkValue(value, low, high, width);
        }
        checkOffset(this, offset, width);
        view(this)[`set${kind(name)}`](offset, value, little);
        return offset + width;
      };
      if (aliases) {
        const other = name.replace("UInt", "Uint");
        methods[`read${other}${suffix}`] = methods[`read${name}${suffix}`];
        methods[`write${other}${suffix}`] = methods[`write${name}${suffix}`];
      }
    }
  };
  const kind = (name) => ({ UInt8: "Uint8", UInt16: "Uint16", UInt32: "Uint32", Float: "Float32", Double: "Float64",
    BigInt64: "BigInt64", BigUInt64: "BigUint64" })[name] ?? name;
  fixed("UInt8", 1, 0, 255, true);
  fixed("Int8", 1, -128, 127);
  fixed("UInt16", 2, 0, 65535, true);
  fixed("Int16", 2, -32768, 32767);
  fixed("UInt32", 4, 0, 2 ** 32 - 1, true);
  fixed("Int32", 4, -(2 ** 31), 2 ** 31 - 1);
  fixed("Float", 4);
  fixed("Double", 8);
  fixed("BigInt64", 8, -(2n ** 63n), 2n ** 63n - 1n);
  fixed("BigUInt64", 8, 0n, 2n ** 64n - 1n, true);

  // Integers of one to six bytes.
  const checkWidth = (width) => {
    if (typeof width !== "number") {
      throw fail(TypeError, "ERR_INVALID_ARG_TYPE", `The "byteLength" argument must be of type number.${describe(width)}`);
    }
    if (!(Number.isInteger(width) && width >= 1 && width <= 6)) {
      throw fail(RangeError, "ERR_OUT_OF_RANGE", `The value of "byteLength" is out of range. It must be >= 1 and <= 6. Received ${width}`);
    }
  };
  for (const little of [true, false]) {
    for (const signed of [true, false]) {
      const name = `${signed ? "Int" : "UInt"}${little ? "LE" : "BE"}`;
      methods[`read${name}`] = function (offset, width) {
        checkWidth(width);
        checkOffset(this, offset, width);
        let value = 0;
        for (let at = 0; at < width; at++) value = value * 256 + this[little ? offset + width - 1 - at : offset + at];
        return signed && value >= 2 ** (width * 8 - 1) ? value - 2 ** (width * 8) : value;
      };
      methods[`write${name}`] = function (value, offset, width) {
        checkWidth(width);
        value = +value;
        const limit = 2 ** (width * 8 - (signed ? 1 : 0));
        checkValue(value, signed ? -limit : 0, limit - 1, width);
        checkOffset(this, offset, width);
        let rest = Math.trunc(value);
        for (let at = 0; at < width; at++) {
          const byte = ((rest % 256) + 256) % 256;
          this[little ? offset + at : offset + width - 1 - at] = byte;
          rest = (rest - byte) / 256;
        }
        return offset + width;
      };
      if (!signed) {
        methods[`read${name.replace("UInt", "Uint")}`] = methods[`read${name}`];
        methods[`write${name.replace("UInt", "Uint")}`] = methods[`write${name}`];
      }
    }
  }
  for (const encoding of ["utf8", "latin1", "ascii", "hex", "base64", "base64url", "ucs2"]) {
    methods[`${encoding}Slice`] = function (start, end) { return this.toString(encoding, start, end); };
    methods[`${encoding}Write`] = function (text, offset, length) { return this.write(text, offset, length, encoding); };
  }
  for (const name of Object.keys(methods)) define(proto, name, methods[name]);
  Object.defineProperty(proto, "parent", { get() { return this.buffer; }, configurable: true });
  Object.defineProperty(proto, "offset", { get() { return this.byteOffset; }, configurable: true });
  return Buffer;
});
