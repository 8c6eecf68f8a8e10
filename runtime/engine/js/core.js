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

  // Stack traces as V8 writes them; only places in the user's texts are shown.
  const describe = (error) => {
    try {
      return String(error);
    } catch {
      return "Error";
    }
  };
  Error.stackTraceLimit = 10;
  Error.prepareStackTrace = (error, sites) => {
    const places = [];
    for (const site of sites) {
      const file = site.getFileName();
      if (!file || !file.startsWith("Function node")) continue;
      places.push([site.getFunctionName(), file, site.getLineNumber(), site.getColumnNumber()]);
    }
    const [, file, line, column] = places[0] ?? [];
    if (error instanceof Error && typeof error.message === "string" && Object.hasOwn(error, "message")) {
      const text = native.explain(error.message, file ?? "", line ?? 0, column ?? 0);
      if (text !== undefined) error.message = text;
    }
    let stack = describe(error);
    for (const [name, file, line, column] of places) {
      const place = `${file}:${line}:${column}`;
      stack += name && name !== "<anonymous>" ? `\n    at ${name} (${place})` : `\n    at ${place}`;
    }
    return stack;
  };

  // JSON.parse reports as V8 does.
  const parse = JSON.parse;
  define(JSON, "parse", { parse(text, reviver) {
    try {
      return parse(text, reviver);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const message = native.jsonError(String(text));
      throw message === undefined ? error : new SyntaxError(message);
    }
  } }.parse);

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
  class Timeout {
    #id;
    constructor(id) { this.#id = id; }
    static id(value) {
      if (typeof value === "object" && value !== null && #id in value) return value.#id;
      return typeof value === "number" || typeof value === "string" ? Number(value) : 0;
    }
    ref() { return this; }
    unref() { return this; }
    hasRef() { return true; }
    refresh() { native.refreshTimer(this.#id); return this; }
    close() { native.clearTimer(this.#id); return this; }
    [Symbol.toPrimitive]() { return this.#id; }
  }
  const start = (kind) => (callback, delay, args) => new Timeout(native.setTimer(callback, Number(delay), kind, args));
  const [once, repeat, soon] = [start(0), start(1), start(2)];
  const clear = (timer) => {
    const id = Timeout.id(timer);
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

  return { timerPrototype: Timeout.prototype, spread: (iterable) => [...iterable], detachNode };
});
