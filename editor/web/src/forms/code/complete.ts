/**
 * What is offered while one types JavaScript: the names that Node-RED gives a function node, and of `msg` what the
 * compiler knows to be in it.
 */
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { at, type Shape } from "./shape";
import { JSONATA_FUNCTIONS } from "./languages";

const method = (label: string, detail = ""): Completion => ({ label, type: "method", detail });
const property = (label: string, detail = ""): Completion => ({ label, type: "property", detail });

const STORE = [method("get", "(key, store?)"), method("set", "(key, value, store?)"), method("keys", "(store?)")];
const MEMBERS: { readonly [object: string]: readonly Completion[] } = {
  node: [
    method("send", "(messages, clone?)"),
    method("done", "()"),
    method("error", "(text, msg?)"),
    method("warn", "(text)"),
    method("log", "(text)"),
    method("debug", "(text)"),
    method("trace", "(text)"),
    method("status", "({fill, shape, text})"),
    method("on", "('close', listener)"),
    property("id"),
    property("name"),
    property("path"),
    property("outputCount"),
  ],
  flow: STORE,
  global: STORE,
  context: [...STORE, property("flow"), property("global")],
  env: [method("get", "(name)")],
  RED: [property("util")],
  "RED.util": [
    method("cloneMessage", "(msg)"),
    method("generateId", "()"),
    method("getMessageProperty", "(msg, path)"),
    method("setMessageProperty", "(msg, path, value, create?)"),
    method("evaluateNodeProperty", "(value, type, node, msg, callback)"),
    method("compareObjects", "(a, b)"),
    method("ensureString", "(value)"),
    method("ensureBuffer", "(value)"),
    method("prepareJSONataExpression", "(text, node)"),
    method("evaluateJSONataExpression", "(expression, msg, callback)"),
  ],
};
const TOP: readonly Completion[] = [
  ...["msg", "node", "flow", "global", "context", "env", "RED"].map((label) => ({ label, type: "variable" })),
  ...["Buffer", "console", "util", "setTimeout", "clearTimeout", "setInterval", "clearInterval"].map((label) => ({ label, type: "variable" })),
];
const MESSAGE: readonly Completion[] = [property("payload"), property("topic"), property("_msgid")];

/** The completion source of a function's code. */
export function completeJavaScript(message: Shape | undefined) {
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/[\w$]+(?:\.[\w$]*)*/);
    if (!word || (word.text === "" && !context.explicit)) return context.explicit ? { from: context.pos, options: [...TOP] } : null;
    const path = word.text.split(".");
    const from = word.to - path.at(-1)!.length;
    const options = optionsFor(path.slice(0, -1), message);
    return options.length === 0 ? null : { from, options, validFor: /^[\w$]*$/ };
  };
}

/** What stands behind `path.`; exported for tests. */
export function optionsFor(path: readonly string[], message: Shape | undefined): Completion[] {
  if (path.length === 0) return [...TOP];
  if (path[0] !== "msg") return [...(MEMBERS[path.join(".")] ?? [])];
  const shape = message ? at(message, path.slice(1)) : undefined;
  const known = shape ? [...shape.properties].map(([name, each]) => property(name, each.text)) : [];
  return path.length > 1 ? known : [...known, ...MESSAGE.filter((each) => !shape?.properties.has(each.label))];
}

/** The completion source of JSONata. */
export function completeJsonata(message: Shape | undefined) {
  const functions = JSONATA_FUNCTIONS.map((name): Completion => ({ label: `$${name}`, type: "function", apply: `$${name}(` }));
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/\$?[\w.]*/);
    if (!word || (word.text === "" && !context.explicit)) return null;
    if (word.text.startsWith("$")) return { from: word.from, options: functions, validFor: /^\$\w*$/ };
    const path = word.text.split(".");
    const shape = message ? at(message, path.slice(0, -1)) : undefined;
    const options = [...(shape?.properties ?? [])].map(([name, each]) => property(name, each.text));
    return options.length === 0 ? null : { from: word.to - path.at(-1)!.length, options, validFor: /^\w*$/ };
  };
}
