// RED.util, as far as code outside the runtime can use it.
(function (native) {
  const coded = (code, message) => Object.assign(new Error(message), { code });

  // A copy that keeps prototypes, for values that are more than data.
  const deepCopy = (value, seen = new Map()) => {
    if (typeof value !== "object" || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    const keep = (made) => { seen.set(value, made); return made; };
    if (value instanceof Date) return keep(new Date(value.getTime()));
    if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
    if (Buffer.isBuffer(value)) return keep(Buffer.from(value));
    if (value instanceof Error || value instanceof Promise || value instanceof WeakMap) return keep(value);
    if (value instanceof Map) {
      const made = keep(new Map());
      for (const [key, item] of value) made.set(key, deepCopy(item, seen));
      return made;
    }
    if (value instanceof Set) {
      const made = keep(new Set());
      for (const item of value) made.add(deepCopy(item, seen));
      return made;
    }
    if (ArrayBuffer.isView(value)) return keep(value.slice());
    const made = keep(Array.isArray(value) ? new Array(value.length) : Object.create(Object.getPrototypeOf(value)));
    for (const key of Object.keys(value)) made[key] = deepCopy(value[key], seen);
    return made;
  };
  const cloneMessage = (msg) => {
    if (typeof msg !== "object" || msg === null) return msg;
    const made = native.clone(msg);
    if (made !== undefined) return made;
    const { req, res, ...rest } = msg;
    const copy = deepCopy(Object.setPrototypeOf(rest, Object.getPrototypeOf(msg)));
    if (req) copy.req = req;
    if (res) copy.res = res;
    return copy;
  };

  // Paths. Nested parts (a[msg.b]) are looked up in the message when there is one.
  const normalise = (expression, msg, asText) => {
    const parts = native.parsePath(String(expression));
    const resolved = msg ? parts.map((part, index) => (Array.isArray(part) ? nested(part, msg, expression, index) : part)) : parts;
    if (!asText) return resolved;
    const [first, ...rest] = resolved;
    return rest.reduce((text, part) => {
      if (typeof part !== "string") return `${text}[${part}]`;
      return /"/.test(part) ? `${text}['${part}']` : `${text}["${part}"]`;
    }, String(first));
  };
  const nested = (parts, msg, expression) => {
    const path = parts[0] === "msg" ? parts.slice(1) : parts;
    let value = msg;
    try {
      for (const part of path) value = value[Array.isArray(part) ? nested(part, msg, expression) : part];
    } catch {
      value = undefined;
    }
    if (value === undefined) {
      const at = String(expression).indexOf("[msg") + 1;
      throw coded("INVALID_EXPR", `Invalid expression started at position ${at}`);
    }
    return value;
  };
  const withoutMsg = (expression) => (expression.indexOf("msg.") === 0 ? expression.substring(4) : expression);
  const getObjectProperty = (object, expression) => {
    let value = object;
    for (const part of normalise(expression, object)) value = value[part];
    return value;
  };
  const setObjectProperty = (object, expression, value, createMissing = value !== undefined) => {
    const parts = normalise(expression, object);
    const last = parts.pop();
    let target = object;
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index];
      const list = typeof part === "number" && Array.isArray(target);
      const present = list ? target[part] !== undefined : Object.hasOwn(target, part);
      if (!present) {
        if (!createMissing) return false;
        const next = index + 1 < parts.length ? parts[index + 1] : last;
        target[part] = typeof next === "string" ? {} : [];
      } else if (!list && ((typeof target[part] !== "object" && typeof target[part] !== "function") || target[part] === null)) {
        return false;
      }
      target = target[part];
    }
    if (value === undefined) {
      if (typeof last === "number" && Array.isArray(target)) target.splice(last, 1);
      else delete target[last];
      return true;
    }
    if (typeof target !== "object" || target === null) return false;
    target[last] = value;
    return true;
  };

  const compareObjects = (a, b) => {
    if (a === b) return true;
    if (a === null || a === undefined || b === null || b === undefined) return false;
    if (Array.isArray(a) !== Array.isArray(b)) return false;
    if (Array.isArray(a)) return a.length === b.length && a.every((item, index) => compareObjects(item, b[index]));
    if (Buffer.isBuffer(a) !== Buffer.isBuffer(b)) return false;
    if (Buffer.isBuffer(a)) return a.equals(b);
    if (typeof a !== "object" || typeof b !== "object") return false;
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => compareObjects(a[key], b[key]));
  };

  const ensureString = (value) => {
    if (Buffer.isBuffer(value)) return value.toString();
    if (typeof value === "object") return JSON.stringify(value);
    return typeof value === "string" ? value : "" + value;
  };
  const ensureBuffer = (value) => (Buffer.isBuffer(value) ? value : Buffer.from(ensureString(value)));

  // A node's settings can be read only for the function node itself.
  const getSetting = (_node, _name) => undefined;
  const ownSetting = (name) => {
    switch (name) {
      case "NR_NODE_NAME": return native.info("name");
      case "NR_NODE_ID": return native.info("id");
      case "NR_NODE_PATH": return native.info("path");
      default: return native.envGet(name);
    }
  };
  const evaluateEnv = (value) => {
    const whole = /^\$\{([^}]+)\}$/.exec(value);
    if (whole || !/\$\{\S+\}/.test(value)) return ownSetting(whole ? whole[1] : value) ?? "";
    return value.replace(/\$\{([^}]+)\}/g, (_, name) => ownSetting(name) ?? "");
  };
  const parseContextStore = (key) => {
    const named = /^#:\((\S+?)\)::(.*)$/.exec(key);
    return named ? { store: named[1], key: named[2] } : { key };
  };

  // JSONata is evaluated outside of JavaScript: an expression is its text and the values that are assigned to it.
  const prepareJSONataExpression = (value, node) => {
    const text = String(value);
    native.jsonata(text);
    const legacy = /(^|[^a-zA-Z0-9_'".])msg([^a-zA-Z0-9_'"]|$)/.test(text);
    const assigned = {};
    return {
      // (what an expression of the older form is given has the message in it)
      // Its value comes when the body has ended.
      evaluate: async (input, variables) => {
        await new Promise((resolve) => { setTimeout(resolve, 0); });
        return native.evaluateJsonata(text, legacy ? input?.msg : input, { ...assigned, ...variables });
      },
      assign: (name, item) => { assigned[name] = item; },
      registerFunction: () => { throw new Error("functions of JavaScript cannot be called by JSONata expressions"); },
      _legacyMode: legacy,
      _node: node,
    };
  };
  const evaluateJSONataExpression = (expression, msg, callback) => {
    if (!callback) throw new Error("Calls to RED.util.evaluateJSONataExpression must include a callback.");
    const context = expression._legacyMode ? { msg } : msg;
    expression.evaluate(context).then((result) => { callback(null, result); }).catch((error) => { callback(error); });
  };

  const evaluate = (value, type, node, msg) => {
    switch (type) {
      case "str": return "" + value;
      case "num": return Number(value);
      case "json": return JSON.parse(value);
      case "re": return new RegExp(value);
      case "bool": return /^true$/i.test(value);
      case "date": return !value ? Date.now() : value === "object" ? new Date() : value === "iso" ? new Date().toISOString() : value;
      case "bin": {
        const data = JSON.parse(value);
        if (Array.isArray(data) || typeof data === "string") return Buffer.from(data);
        throw coded("INVALID_BUFFER_DATA", "Not string or array");
      }
      case "msg": return msg ? getObjectProperty(msg, withoutMsg(value)) : value;
      case "flow":
      case "global": {
        if (!node) return value;
        const place = parseContextStore(value);
        if (/\[msg/.test(place.key)) place.key = normalise(place.key, msg, true);
        return globalThis[type].get(place.key, place.store);
      }
      case "env": return evaluateEnv(value);
      case "jsonata": return evaluateJSONataExpression(prepareJSONataExpression(value, node), msg);
      default: return value;
    }
  };
  const evaluateNodeProperty = (value, type, node, msg, callback) => {
    if (!callback) return evaluate(value, type, node, msg);
    let result;
    try {
      if (type === "jsonata") return evaluateJSONataExpression(prepareJSONataExpression(value, node), msg, callback);
      result = evaluate(value, type, node, msg);
    } catch (error) {
      callback(error);
      return undefined;
    }
    callback(null, result);
    return undefined;
  };

  const className = (value) => (value && value.constructor ? value.constructor.name : "");
  const encodedError = (error) => {
    const data = { name: error.name, message: Object.hasOwn(error, "message") ? error.message : String(error) };
    if (error.code !== undefined) data.code = error.code;
    if (error.cause !== undefined) data.cause = error.cause + "";
    data.stack = error.stack;
    return { __enc__: true, type: "error", data };
  };
  const encodeObject = (msg, options) => {
    const limit = options && Object.hasOwn(options, "maxLength") ? options.maxLength : 1000;
    const cut = (text) => (text.length > limit ? text.substring(0, limit) + "..." : text);
    const replace = (value) => {
      if (value === undefined) return { __enc__: true, type: "undefined" };
      if (typeof value === "string") return cut(value);
      if (typeof value === "function") return { __enc__: true, type: "function" };
      if (typeof value === "bigint") return { __enc__: true, type: "bigint", data: String(value) };
      if (typeof value === "number") return Number.isFinite(value) ? value : { __enc__: true, type: "number", data: String(value) };
      if (typeof value !== "object" || value === null) return value;
      if (value instanceof Error) return encodedError(value);
      if (Array.isArray(value) && value.length > limit) return { __enc__: true, type: "array", data: value.slice(0, limit), length: value.length };
      if (value.type === "Buffer" && Array.isArray(value.data)) {
        return { type: "Buffer", data: value.data.slice(0, limit), __enc__: true, length: value.data.length };
      }
      if (value instanceof Set) return { __enc__: true, type: "set", data: [...value].slice(0, limit), length: value.size };
      if (value instanceof Map) return { __enc__: true, type: "map", data: Object.fromEntries([...value].slice(0, limit)), length: value.size };
      if (value instanceof RegExp) return { __enc__: true, type: "regexp", data: String(value) };
      return value;
    };
    const stringify = (value) => {
      const around = [];
      return JSON.stringify(value, function (key, item) {
        if (key === "_req" || key === "_res") return { __enc__: true, type: "internal" };
        while (around.length > 0 && around.at(-1) !== this) around.pop();
        if (typeof item === "object" && item !== null) {
          if (around.includes(item)) return "[Circular ~]";
          around.push(item);
        }
        return replace(item);
      });
    };
    const value = msg.msg;
    if (value instanceof Error) {
      msg.format = "error";
      msg.msg = JSON.stringify(encodedError(value));
    } else if (Buffer.isBuffer(value)) {
      msg.format = `buffer[${value.length}]`;
      msg.msg = value.toString("hex").substring(0, limit);
    } else if (typeof value === "object" && value !== null) {
      msg.format = className(value) || "Object";
      if (Array.isArray(value)) {
        msg.format = `array[${value.length}]`;
        msg.msg = stringify(value.length > limit ? { __enc__: true, type: "array", data: value.slice(0, limit), length: value.length } : value);
      } else if (value instanceof Set) {
        msg.format = `set[${value.size}]`;
        msg.msg = stringify(replace(value));
      } else if (value instanceof Map) {
        msg.format = "map";
        msg.msg = stringify(replace(value));
      } else if (value instanceof RegExp) {
        msg.format = "regexp";
        msg.msg = String(value);
      } else {
        msg.msg = msg.format === "Object" ? stringify(value) : String(value);
      }
    } else if (typeof value === "string") {
      msg.format = `string[${value.length}]`;
      msg.msg = cut(value);
    } else if (value === null || value === undefined) {
      msg.format = value === null ? "null" : "undefined";
      msg.msg = "(undefined)";
    } else {
      msg.format = typeof value;
      msg.msg = typeof value === "function" ? "[function]" : typeof value === "bigint" ? { __enc__: true, type: "bigint", data: String(value) } : String(value);
    }
    return msg;
  };

  const util = {
    encodeObject,
    ensureString,
    ensureBuffer,
    cloneMessage,
    compareObjects,
    generateId: () => native.generateId(),
    getMessageProperty: (msg, expression) => getObjectProperty(msg, withoutMsg(expression)),
    setMessageProperty: (msg, expression, value, create) => setObjectProperty(msg, withoutMsg(expression), value, create),
    getObjectProperty,
    setObjectProperty,
    evaluateNodeProperty,
    normalisePropertyExpression: normalise,
    normaliseNodeTypeName: (name) => {
      const words = name.replace(/[^a-zA-Z0-9]/g, " ").trim().split(/ +/);
      const joined = words.map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join("");
      return joined.charAt(0).toLowerCase() + joined.slice(1);
    },
    prepareJSONataExpression,
    evaluateJSONataExpression,
    parseContextStore,
    getSetting,
  };
  return { util };
});
