// The sandbox's global objects. What few bodies use is loaded when it is first touched.
// Evaluates to a function of the native helpers; returns what the engine keeps.
(function (native) {
  const G = globalThis;
  const define = (target, name, value) => {
    Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
    return value;
  };
  const lazy = (name, load) => {
    Object.defineProperty(G, name, {
      configurable: true,
      enumerable: false,
      get() { return define(G, name, load()); },
      set(value) { define(G, name, value); },
    });
  };

  // JSON reports as V8 does.
  const { parse, stringify } = JSON;
  define(JSON, "parse", { parse(text, reviver) {
    try {
      return parse(text, reviver);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const message = text === undefined ? '"undefined" is not valid JSON' : native.jsonError(String(text));
      throw message === undefined ? error : new SyntaxError(message);
    }
  } }.parse);
  define(JSON, "stringify", { stringify(value, replacer, space) {
    try {
      return stringify(value, replacer, space);
    } catch (error) {
      if (error?.message !== "Converting circular structure to JSON") throw error;
      throw new TypeError(error.message + circle(value));
    }
  } }.stringify);
  // Where a structure closes on itself, in V8's drawing.
  const circle = (value) => {
    const around = [];
    const kind = (target) => (target.constructor?.name ? `object with constructor '${target.constructor.name}'` : "object");
    const step = (key, list) => (list ? `index ${key}` : `property '${key}'`);
    const look = (target) => {
      const at = around.findIndex(([outer]) => outer === target);
      if (at >= 0) return around.slice(at);
      for (const key of Object.keys(target)) {
        const inner = target[key];
        if (typeof inner !== "object" || inner === null) continue;
        around.push([target, step(key, Array.isArray(target))]);
        const found = look(inner);
        if (found) return found;
        around.pop();
      }
      return undefined;
    };
    const steps = typeof value === "object" && value !== null ? look(value) : undefined;
    if (!steps) return "";
    let text = `\n    --> starting at ${kind(steps[0][0])}`;
    const middle = steps.slice(0, -1).map(([, name], index) => `\n    |     ${name} -> ${kind(steps[index + 1][0])}`);
    if (middle.length > 2) middle.splice(1, middle.length - 2, "\n    |     ...");
    text += middle.join("");
    return `${text}\n    --- ${steps.at(-1)[1]} closes the circle`;
  };

  // Date by the runtime's clock.
  const RealDate = Date;
  const now = () => native.now();
  function RuntimeDate(...args) {
    if (new.target === undefined) return new RealDate(now()).toString();
    return Reflect.construct(RealDate, args.length === 0 ? [now()] : args, new.target);
  }
  Object.defineProperty(RuntimeDate, "name", { value: "Date", configurable: true });
  Object.defineProperty(RuntimeDate, "length", { value: 7, configurable: true });
  Object.defineProperty(RuntimeDate, "prototype", { value: RealDate.prototype, writable: false });
  define(RealDate.prototype, "constructor", RuntimeDate);
  define(RuntimeDate, "UTC", RealDate.UTC);
  define(RuntimeDate, "parse", RealDate.parse);
  define(RuntimeDate, "now", { now() { return native.now(); } }.now);
  define(G, "Date", RuntimeDate);

  // Timers.
  const timer = Symbol.for("vgdc.timer");
  class Timeout {
    #id;
    constructor(id) { this.#id = id; }
    static id(value) {
      // A timer of another function node has another class, so any of them is asked by conversion.
      if (typeof value === "object" && value !== null) return value[timer] ? Number(value) : 0;
      return typeof value === "number" || typeof value === "string" ? Number(value) : 0;
    }
    ref() { return this; }
    unref() { return this; }
    hasRef() { return true; }
    refresh() { native.refreshTimer(this.#id); return this; }
    close() { native.clearTimer(this.#id); return this; }
    [Symbol.toPrimitive]() { return this.#id; }
    get [timer]() { return true; }
  }
  const start = (kind) => (callback, delay, args) => new Timeout(native.setTimer(callback, Number(delay), kind, args));
  const [once, repeat, soon] = [start(0), start(1), start(2)];
  const clear = (given) => {
    const id = Timeout.id(given);
    if (id > 0) native.clearTimer(id);
  };
  define(G, "setTimeout", function setTimeout(callback, delay, ...args) { return once(callback, delay, args); });
  define(G, "setInterval", function setInterval(callback, delay, ...args) { return repeat(callback, delay, args); });
  define(G, "setImmediate", function setImmediate(callback, ...args) { return soon(callback, 0, args); });
  define(G, "clearTimeout", function clearTimeout(timer) { clear(timer); });
  define(G, "clearInterval", function clearInterval(timer) { clear(timer); });
  define(G, "clearImmediate", function clearImmediate(timer) { clear(timer); });
  const custom = Symbol.for("nodejs.util.promisify.custom");
  define(G.setTimeout, custom, (after, value) => new Promise((resolve) => once(resolve, after, [value])));

  // Context, environment, console.
  const scope = (number) => ({
    get: native["contextGet" + number],
    set: native["contextSet" + number],
    keys: native["contextKeys" + number],
  });
  const [context, flow, global] = [scope(0), scope(1), scope(2)];
  context.flow = flow;
  context.global = global;
  define(G, "context", context);
  define(G, "flow", flow);
  define(G, "global", global);
  define(G, "env", { get: native.envGet });
  const write = (level) => (...args) => native.console(level, native.load("util").format(...args));
  const [error, warn, info, debug, trace] = [write(0), write(1), write(2), write(3), write(4)];
  const nothing = () => {};
  define(G, "console", {
    error, warn, info, debug, trace, log: info, dir: (value) => info(value), group: nothing, groupEnd: nothing,
    time: nothing, timeEnd: nothing, timeLog: nothing, table: (value) => info(value), count: nothing,
    assert: (truth, ...args) => { if (!truth) error("Assertion failed", ...args); },
  });

  // Libraries.
  lazy("Buffer", () => native.load("buffer"));
  for (const name of ["TextEncoder", "TextDecoder", "structuredClone"]) lazy(name, () => native.load("text")[name]);
  for (const name of ["URL", "URLSearchParams"]) lazy(name, () => native.load("url")[name]);
  lazy("util", () => native.load("util"));
  lazy("promisify", () => native.load("util").promisify);
  lazy("RED", () => native.load("red"));
  lazy("Intl", () => native.load("intl").Intl);
  define(String.prototype, "localeCompare", { localeCompare(other, locales, options) {
    return native.load("intl").compare(String(this), String(other), options);
  } }.localeCompare);
  const dateText = RealDate.prototype.toString;
  const timeText = RealDate.prototype.toTimeString;
  const withZone = (text, date) => (text.includes("(") || text === "Invalid Date" ? text : `${text} (${native.load("intl").zoneName(date)})`);
  define(RealDate.prototype, "toString", { toString() { return withZone(dateText.call(this), this); } }.toString);
  define(RealDate.prototype, "toTimeString", { toTimeString() { return withZone(timeText.call(this), this); } }.toTimeString);
  const locale = (target, name, index) => {
    define(target, name, { [name](...args) { return native.load("intl")[index](this, ...args); } }[name]);
  };
  locale(Number.prototype, "toLocaleString", "number");
  locale(RealDate.prototype, "toLocaleString", "dateTime");
  locale(RealDate.prototype, "toLocaleDateString", "date");
  locale(RealDate.prototype, "toLocaleTimeString", "time");

  // A node object whose functions work on their own.
  const detachNode = (node) => {
    const bound = { id: node.id, name: node.name, path: node.path, outputCount: node.outputCount };
    for (const name of ["log", "error", "warn", "debug", "trace", "on", "status", "send", "done", "linkcall"]) {
      bound[name] = (...args) => node[name](...args);
    }
    return bound;
  };

  return { spread: (iterable) => [...iterable], detachNode };
});
