// Values as docs/control-protocol.md writes them ("Values"), both ways.

const live = new Map();
const handles = new WeakMap();

function handle(value, kind) {
    let id = handles.get(value);
    if (!id) {
        id = `h${live.size + 1}`;
        handles.set(value, id);
        live.set(id, value);
    }
    return { $type: "handle", kind, id };
}

const tagOf = value => Object.prototype.toString.call(value).slice(8, -1);
const LIVE = /^(ServerResponse|IncomingMessage|Socket|TLSSocket|Server|WebSocket|ClientRequest)$/;

export function encode(whole) {
    const [above, keys] = [[], []];
    const put = (object, key, value) =>
        Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
    const inner = (key, value) => {
        keys.push(key);
        const written = go(value);
        keys.pop();
        return written;
    };
    function go(value) {
        switch (typeof value) {
            case "string": case "boolean": return value;
            case "undefined": return { $type: "undefined" };
            case "bigint": return { $type: "bigint", value: String(value) };
            case "function": return handle(value, "function");
            case "symbol": return { $type: "handle", kind: "symbol", id: String(value) };
            case "number":
                if (Number.isFinite(value) && !Object.is(value, -0)) return value;
                return { $type: "number", value: Object.is(value, -0) ? "-0" : String(value) };
        }
        if (value === null) return null;
        // (by their tags: values of function nodes are of another realm)
        const tag = tagOf(value);
        if (tag === "Uint8Array") return { $type: "buffer", base64: Buffer.from(value).toString("base64") };
        if (tag === "Date") return { $type: "date", iso: Number.isNaN(+value) ? null : value.toISOString() };
        if (tag === "RegExp") return { $type: "regexp", source: value.source, flags: value.flags };
        if (["Number", "String", "Boolean"].includes(tag)) return go(value.valueOf());
        const seen = above.indexOf(value);
        if (seen >= 0) return { $type: "circular", path: keys.slice(0, seen) };
        const kind = value.constructor?.name;
        if (kind && LIVE.test(kind)) return handle(value, kind);
        // (what http in wraps a response in: functions, each of which warns)
        if (value._res?.constructor?.name === "ServerResponse" && typeof value.sendStatus === "function") return handle(value, "ServerResponse");
        if (tag === "Promise" || (typeof value.pipe === "function" && typeof value.on === "function")) return handle(value, kind);
        above.push(value);
        const written = structure(value, tag);
        above.pop();
        return written;
    }
    function structure(value, tag) {
        if (tag === "Error") {
            const error = { $type: "error", name: String(value.name), message: String(value.message) };
            const more = Object.keys(value).filter(key => !["name", "message", "stack"].includes(key));
            if (more.length) error.properties = {};
            for (const key of more) put(error.properties, key, inner(key, value[key]));
            return error;
        }
        if (Array.isArray(value)) return Array.from(value, (item, at) => inner(at, item));
        if (tag === "Map") return { $type: "map", entries: Array.from(value, ([key, item]) => [inner("key", key), inner("value", item)]) };
        if (tag === "Set") return { $type: "set", values: Array.from(value, item => inner("value", item)) };
        if (Object.hasOwn(value, "$type")) return { $type: "object", entries: Object.keys(value).map(key => [key, inner(key, value[key])]) };
        const object = {};
        for (const key of Object.keys(value)) put(object, key, inner(key, value[key]));
        return object;
    }
    return go(whole);
}

export function decode(value) {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(decode);
    switch (value.$type) {
        case undefined: break;
        case "buffer": return Buffer.from(value.base64, "base64");
        case "date": return new Date(value.iso === null ? NaN : value.iso);
        case "undefined": return undefined;
        case "number": return value.value === "-0" ? -0 : Number(value.value);
        case "bigint": return BigInt(value.value);
        case "regexp": return new RegExp(value.source, value.flags);
        case "map": return new Map(value.entries.map(([key, item]) => [decode(key), decode(item)]));
        case "set": return new Set(value.values.map(decode));
        case "error": return Object.assign(new Error(value.message), value.name === "Error" ? {} : { name: value.name });
        case "handle": return live.get(value.id);
        case "object": return Object.fromEntries(value.entries.map(([key, item]) => [key, decode(item)]));
        default: throw new Error(`unknown $type "${value.$type}"`);
    }
    const object = {};
    for (const key of Object.keys(value)) {
        Object.defineProperty(object, key, { value: decode(value[key]), enumerable: true, configurable: true, writable: true });
    }
    return object;
}
