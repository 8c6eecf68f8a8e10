// A flow file as it can be run anywhere: what reaches outside, and what is not Node-RED's own, is a `helper` in its place.
import fs from "node:fs";

/** What runs as it is; every other type becomes a helper. */
const KEPT = new Set([
    "tab", "group", "subflow", "junction", "comment", "global-config", "helper", "unknown",
    "inject", "debug", "complete", "catch", "status", "link in", "link out", "link call",
    "function", "switch", "change", "range", "template", "delay", "trigger", "rbe",
    "http in", "http response", "csv", "html", "json", "xml", "yaml", "split", "join", "sort", "batch",
]);

/** What has messages put into it. */
const FED = new Set([
    "function", "switch", "change", "range", "template", "delay", "trigger", "rbe", "http response", "link in", "link call",
    "csv", "html", "json", "xml", "yaml", "split", "join", "sort", "batch",
]);

const isObject = value => value !== null && typeof value === "object" && !Array.isArray(value);

/** The nodes of a file; throws with the reason where there are none. */
export function readFlow(file) {
    const text = fs.readFileSync(file, "utf8").replace(/^\uFEFF/, "");
    let whole;
    try {
        whole = JSON.parse(text);
    } catch {
        throw new Error("is no JSON");
    }
    if (isObject(whole) && Array.isArray(whole.flows)) whole = whole.flows;
    if (!Array.isArray(whole) || !whole.length) throw new Error("is no array of nodes");
    if (!whole.every(node => isObject(node) && typeof node.id === "string" && typeof node.type === "string")) throw new Error("has something without id and type");
    if (new Set(whole.map(node => node.id)).size !== whole.length) throw new Error("has an id twice");
    return whole;
}

/** The same with nothing in it that reaches outside. */
export function harmless(nodes) {
    const subflows = new Set(nodes.filter(node => node.type === "subflow").map(node => node.id));
    return nodes.flatMap(node => {
        const instance = node.type.startsWith("subflow:");
        const kept = instance ? subflows.has(node.type.slice(8)) : KEPT.has(node.type);
        // (modules are fetched from npm)
        const fetches = node.type === "function" && Array.isArray(node.libs) && node.libs.length > 0;
        if (kept && !fetches && node.type !== "unknown") return [certain(node)];
        // (a configuration node is in no place)
        if (!Array.isArray(node.wires)) return [];
        const { id, z, g, d, name, wires } = node;
        return [JSON.parse(JSON.stringify({ id, type: "helper", z, g, d, name, wires }))];
    });
}

/** A node without chance in it. */
function certain(node) {
    const same = value => {
        if (typeof value === "string") return value.replace(/Math\.random\s*\(\s*\)/g, "(0.4375)").replace(/\$random\(\)/g, "(0.4375)");
        if (Array.isArray(value)) return value.map(same);
        return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, same(item)])) : value;
    };
    return same(node);
}

/** What can be done with a flow from outside: `{button}`, `{receive}` and `{send, output}`. */
export function entrances(nodes) {
    const off = new Set(nodes.filter(node => (node.type === "tab" && node.disabled) || node.type === "subflow").map(node => node.id));
    const there = nodes.filter(node => !node.d && !off.has(node.z));
    const wired = new Set();
    return there.flatMap(node => {
        if (node.type === "inject") return [{ button: node.id }];
        if (FED.has(node.type) || node.type.startsWith("subflow:")) return [{ receive: node.id }];
        if (node.type !== "helper") return [];
        return node.wires.flatMap((wires, output) => {
            const key = JSON.stringify(wires);
            // (one of those that lead to the same place is enough)
            if (!Array.isArray(wires) || !wires.length || wired.has(key)) return [];
            wired.add(key);
            return [{ send: node.id, output }];
        });
    });
}
