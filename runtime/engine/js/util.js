// The parts of Node's util module that function nodes use.
(function (native) {
  const custom = Symbol.for("nodejs.util.inspect.custom");
  const promisified = Symbol.for("nodejs.util.promisify.custom");
  const quote = (text) => {
    const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes("`") ? "`" : "'";
    const escaped = text.replace(/[\\\n\r\t\b\f\v\x00-\x1f]/g, (c) =>
      ({ "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\v": "\\v" })[c] ??
      "\\x" + c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0"));
    return mark + (mark === "'" ? escaped.replaceAll("'", "\\'") : escaped) + mark;
  };
  const isName = (key) => /^[a-zA-Z_][a-zA-Z_0-9]*$/.test(key);
  const number = (value) => (Object.is(value, -0) ? "-0" : String(value));

  const inspect = function inspect(value, options) {
    const given = typeof options === "object" && options !== null ? options : { showHidden: options, depth: arguments[2] };
    const depth = given.depth === undefined ? 2 : given.depth === null ? Infinity : given.depth;
    const width = given.breakLength ?? 80;
    const compact = given.compact ?? 3;
    const around = [];
    const circular = new Map();
    const named = (target, plain) => {
      const prototype = Object.getPrototypeOf(target);
      if (prototype === null) return `[${plain}: null prototype] `;
      const name = target.constructor?.name;
      return name && name !== plain ? `${name} ` : plain === "Array" || plain === "Object" ? "" : `${plain} `;
    };
    const join = (parts, open, close, prefix, indent, nested) => {
      if (parts.length === 0) return `${prefix}${open}${close}`;
      const start = parts.length + (prefix.length + open.length) + parts.length;
      const total = parts.reduce((sum, part) => sum + part.length, start);
      const single = total + parts.length <= width && !parts.some((part) => part.includes("\n")) && (nested < compact || compact === true);
      if (single) return `${prefix}${open} ${parts.join(", ")} ${close}`;
      const gap = " ".repeat(indent + 2);
      return `${prefix}${open}\n${gap}${parts.join(`,\n${gap}`)}\n${" ".repeat(indent)}${close}`;
    };
    // The level of the object shown last: one line holds as many levels below itself as "compact" says.
    let deepest = 0;
    const show = (value, level, indent, top) => {
      switch (typeof value) {
        case "string": return quote(value);
        case "number": return number(value);
        case "bigint": return `${value}n`;
        case "symbol": return value.toString();
        case "undefined": return "undefined";
        case "boolean": return String(value);
        case "function": {
          const isClass = /^class\b/.test(Function.prototype.toString.call(value));
          const base = isClass ? `[class ${value.name || "(anonymous)"}]` : `[Function${value.name ? `: ${value.name}` : " (anonymous)"}]`;
          const keys = Object.keys(value);
          return keys.length === 0 ? base : object(value, keys, base + " ", level, indent);
        }
      }
      if (value === null) return "null";
      if (typeof value[custom] === "function") {
        const text = value[custom](depth - level, given, inspect);
        return typeof text === "string" ? text : show(text, level, indent);
      }
      if (around.includes(value)) {
        if (!circular.has(value)) circular.set(value, circular.size + 1);
        return `[Circular *${circular.get(value)}]`;
      }
      const text = body(value, level, indent, top);
      return circular.has(value) ? `<ref *${circular.get(value)}> ${text}` : text;
    };
    const body = (value, level, indent) => {
      if (value instanceof Error) {
        const keys = Object.keys(value);
        const stack = value.stack || String(value);
        const text = level > 0 && !stack.includes("\n    at") ? `[${stack}]` : stack;
        return keys.length === 0 ? text : object(value, keys, text + " ", level, indent);
      }
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
      if (value instanceof RegExp) return String(value);
      if (native.isBytes(value) && typeof value.inspect === "function") return value.inspect();
      if (value instanceof Promise) return "Promise { <pending> }";
      if (value instanceof Number || value instanceof String || value instanceof Boolean) {
        return `[${value.constructor.name}: ${show(value.valueOf(), level, indent)}]`;
      }
      const type = Array.isArray(value) ? "Array" : value instanceof Map ? "Map" : value instanceof Set ? "Set" : ArrayBuffer.isView(value) ? value.constructor.name : "Object";
      if (level > depth) return type === "Array" ? "[Array]" : `[${value.constructor?.name || "Object: null prototype"}]`;
      around.push(value);
      deepest = level;
      const inside = [];
      if (type === "Array" || ArrayBuffer.isView(value)) {
        const count = Math.min(value.length, 100);
        for (let at = 0; at < count; at++) inside.push(at in value ? show(value[at], level + 1, indent + 2) : "<1 empty item>");
        if (value.length > count) inside.push(`... ${value.length - count} more item${value.length - count > 1 ? "s" : ""}`);
        if (type === "Array") for (const key of Object.keys(value).filter((key) => !/^\d+$/.test(key))) inside.push(entry(value, key, level, indent));
      } else if (type === "Map") {
        for (const [key, item] of value) inside.push(`${show(key, level + 1, indent + 2)} => ${show(item, level + 1, indent + 2)}`);
      } else if (type === "Set") {
        for (const item of value) inside.push(show(item, level + 1, indent + 2));
      }
      let result;
      if (type === "Object") result = object(value, Object.keys(value), named(value, "Object"), level, indent);
      else if (type === "Array") {
        const prefix = value.constructor === Array ? "" : `${value.constructor?.name ?? "Array"}(${value.length}) `;
        result = list(inside, prefix, level, indent, value);
      } else if (type === "Map" || type === "Set") result = join(inside, "{", "}", `${type}(${value.size}) `, indent, deepest - level);
      else result = list(inside, `${type}(${value.length}) `, level, indent, value);
      around.pop();
      return result;
    };
    const list = (parts, prefix, level, indent, value) => {
      if (parts.length > 6 && parts.every((part) => part.length <= 6)) {
        const approx = Math.min(Math.round(Math.sqrt(2.5 * (Math.max(...parts.map((part) => part.length)) + 2) * parts.length) / (Math.max(...parts.map((part) => part.length)) + 2)), Math.floor((80 - indent) / (Math.max(...parts.map((part) => part.length)) + 2)), 3 * 4, 15);
        if (approx > 1) {
          const widths = [];
          for (let column = 0; column < approx; column++) {
            let widest = 0;
            for (let at = column; at < parts.length; at += approx) widest = Math.max(widest, parts[at].length);
            widths.push(widest + 2);
          }
          const pad = value.every?.((item) => typeof item === "number" || typeof item === "bigint") ? "padStart" : "padEnd";
          const rows = [];
          for (let at = 0; at < parts.length; at += approx) {
            const last = Math.min(at + approx, parts.length);
            let row = "";
            for (let index = at; index < last - 1; index++) row += `${parts[index]}, `[pad](widths[index - at]);
            row += pad === "padStart" ? parts[last - 1].padStart(widths[last - 1 - at] - 2) : parts[last - 1];
            rows.push(row);
          }
          const gap = " ".repeat(indent + 2);
          return `${prefix}[\n${gap}${rows.join(`,\n${gap}`)}\n${" ".repeat(indent)}]`;
        }
      }
      return join(parts, "[", "]", prefix, indent, deepest - level);
    };
    const entry = (target, key, level, indent) => {
      const descriptor = Object.getOwnPropertyDescriptor(target, key);
      const name = typeof key === "symbol" ? `[${String(key)}]` : isName(key) ? key : quote(key);
      if (descriptor?.get) return `${name}: ${descriptor.set ? "[Getter/Setter]" : "[Getter]"}`;
      if (descriptor?.set) return `${name}: [Setter]`;
      return `${name}: ${show(target[key], level + 1, indent + 2)}`;
    };
    const object = (target, keys, prefix, level, indent) =>
      join(keys.map((key) => entry(target, key, level, indent)), "{", "}", prefix, indent, deepest - level);
    return show(value, 0, 0, true);
  };
  inspect.custom = custom;
  inspect.defaultOptions = { depth: 2 };

  const format = function format(first, ...args) {
    if (typeof first !== "string") return [first, ...args].map((arg) => (typeof arg === "string" ? arg : inspect(arg))).join(" ");
    let at = 0;
    let text = args.length === 0 ? first : first.replace(/%[sdifjoOc%]/g, (mark) => {
      if (mark === "%%") return "%";
      if (at >= args.length) return mark;
      const arg = args[at++];
      switch (mark) {
        case "%s": return typeof arg === "string" ? arg : typeof arg === "bigint" ? `${arg}n` : typeof arg === "object" && arg !== null && !Object.hasOwn(arg, "toString") && !(arg instanceof Error) ? inspect(arg, { depth: 0 }) : typeof arg === "number" ? number(arg) : String(arg);
        case "%d": return typeof arg === "bigint" ? `${arg}n` : typeof arg === "symbol" ? "NaN" : number(Number(arg));
        case "%i": return typeof arg === "bigint" ? `${arg}n` : number(parseInt(arg));
        case "%f": return number(parseFloat(arg));
        case "%j": try { return JSON.stringify(arg); } catch { return "[Circular]"; }
        case "%o": return inspect(arg, { depth: 4 });
        case "%O": return inspect(arg);
        default: return "";
      }
    });
    for (; at < args.length; at++) text += " " + (typeof args[at] === "string" ? args[at] : inspect(args[at]));
    return text;
  };

  const promisify = function promisify(original) {
    if (typeof original !== "function") {
      throw Object.assign(new TypeError('The "original" argument must be of type function. Received ' + (original === null ? "null" : typeof original)), { code: "ERR_INVALID_ARG_TYPE" });
    }
    if (original[promisified]) return original[promisified];
    const promised = function (...args) {
      return new Promise((resolve, reject) => original.call(this, ...args, (error, value) => (error ? reject(error) : resolve(value))));
    };
    return Object.setPrototypeOf(promised, Object.getPrototypeOf(original));
  };
  promisify.custom = promisified;

  const isDeepStrictEqual = (a, b, strict = true) => {
    const pairs = [];
    const same = (a, b) => {
      if (strict ? Object.is(a, b) : a == b || (a !== a && b !== b)) return true;
      if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
      if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
      if (Array.isArray(a) !== Array.isArray(b)) return false;
      if (pairs.some(([x, y]) => x === a && y === b)) return true;
      pairs.push([a, b]);
      if (a instanceof Date && b instanceof Date && !Object.is(a.getTime(), b.getTime())) return false;
      if (a instanceof RegExp && String(a) !== String(b)) return false;
      if (a instanceof Error && (a.message !== b.message || a.name !== b.name)) return false;
      if (a instanceof Map && !(a.size === b.size && [...a].every(([key, value]) => b.has(key) && same(value, b.get(key))))) return false;
      if (a instanceof Set && !(a.size === b.size && [...a].every((item) => b.has(item) || [...b].some((other) => same(item, other))))) return false;
      const [keys, others] = [Object.keys(a), Object.keys(b)];
      return keys.length === others.length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
    };
    return same(a, b);
  };

  return {
    inspect,
    format,
    promisify,
    isDeepStrictEqual: (a, b) => isDeepStrictEqual(a, b),
    inherits(child, parent) {
      Object.defineProperty(child, "super_", { value: parent, writable: true, configurable: true });
      Object.setPrototypeOf(child.prototype, parent.prototype);
    },
    callbackify: (original) => (...args) => {
      const callback = args.pop();
      original(...args).then((value) => callback(null, value), (error) => callback(error));
    },
    deprecate: (original) => original,
    isArray: Array.isArray,
    isBoolean: (value) => typeof value === "boolean",
    isNull: (value) => value === null,
    isNullOrUndefined: (value) => value === null || value === undefined,
    isNumber: (value) => typeof value === "number",
    isString: (value) => typeof value === "string",
    isSymbol: (value) => typeof value === "symbol",
    isUndefined: (value) => value === undefined,
    isRegExp: (value) => value instanceof RegExp,
    isObject: (value) => value !== null && typeof value === "object",
    isDate: (value) => value instanceof Date,
    isError: (value) => value instanceof Error,
    isFunction: (value) => typeof value === "function",
    isPrimitive: (value) => value === null || (typeof value !== "object" && typeof value !== "function"),
    isBuffer: (value) => Buffer.isBuffer(value),
    types: {
      isDate: (value) => value instanceof Date,
      isRegExp: (value) => value instanceof RegExp,
      isPromise: (value) => value instanceof Promise,
      isMap: (value) => value instanceof Map,
      isSet: (value) => value instanceof Set,
      isNativeError: (value) => value instanceof Error,
      isTypedArray: (value) => ArrayBuffer.isView(value) && !(value instanceof DataView),
      isUint8Array: (value) => value instanceof Uint8Array,
      isArrayBuffer: (value) => value instanceof ArrayBuffer,
      isAsyncFunction: (value) => Object.prototype.toString.call(value) === "[object AsyncFunction]",
      isGeneratorFunction: (value) => Object.prototype.toString.call(value) === "[object GeneratorFunction]",
      isBoxedPrimitive: (value) => value instanceof Number || value instanceof String || value instanceof Boolean,
    },
    get TextEncoder() { return globalThis.TextEncoder; },
    get TextDecoder() { return globalThis.TextDecoder; },
  };
});
