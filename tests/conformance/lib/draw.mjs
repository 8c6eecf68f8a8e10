// Draws cases by lot: a configuration and a few messages for a node type. A seed gives the same cases again.
import { buffer, date, INF, MINUS0, NAN, undef } from "../define/_values.mjs";

/** Numbers from a seed. */
export function lot(seed) {
    let state = seed >>> 0;
    const random = () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let t = state;
        t = Math.imul(t ^ (t >>> 15), t | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    const below = n => Math.floor(random() * n);
    return { below, chance: p => random() < p, pick: list => list[below(list.length)], times: (n, make) => Array.from({ length: below(n) + 1 }, (_, at) => make(at)) };
}

const SCALARS = [0, 1, 2, -1, 3, 10, 1.5, MINUS0, NAN, INF, "", "a", "b", "abc", "1", "2", "10", " 3 ", "1e2", "0x10", "true", "ä€", "x,y", "a\nb", "\"q\"", "{\"a\":1}", "[1]", true, false, null, undef];
const KEYS = ["a", "b", "c", "10", "2", "k e", "payload", "length"];
const PATHS = ["payload", "topic", "payload.a", "payload.b", "payload[0]", "payload.a.b", "other", "payload['k e']", "nothing.x", "payload.2"];

export function drawer(l) {
    let plain = false;
    const value = (depth = 2) => {
        const kind = l.below(depth > 0 ? 12 : 9);
        // (JSONata of Node-RED and of vgdc say other things of what is no number: see docs/differences.md)
        if (kind < 8) return l.pick(SCALARS.filter(one => !plain || (one !== NAN && one !== INF)));
        if (kind === 8) return plain || l.chance(0.5) ? buffer(l.pick(["", "a", "a,b\n1,2", "ä"])) : date("2020-01-02T03:04:05.006Z");
        if (kind < 11) return Object.fromEntries(l.times(3, () => [l.pick(KEYS), value(depth - 1)]));
        return l.times(4, () => value(depth - 1));
    };
    const typed = types => {
        const type = l.pick(types);
        const texts = { str: ["a", "b", "1", "", "abc", "."], num: ["1", "2", "-1", "1.5", "0x10", ""], bool: ["true", "false"], json: ["{\"a\":1}", "[1,2]", "3", "null"], msg: PATHS, jsonata: ["$type(payload)", "$string(payload.a)", "$count(payload)", "1+1", "$length($string(topic))", "$exists(payload.a)"], bin: ["[97]", "[1,2]"], re: ["a", "^.", "\\d+", "(a)|b"], prev: [""], env: ["NOT_THERE"] };
        return [l.pick(texts[type]), type];
    };
    const message = () => ({ payload: value(), ...(l.chance(0.5) ? { topic: l.pick(["a", "b", "t", "", 1, null]) } : {}), ...(l.chance(0.2) ? { other: value(1) } : {}) });
    const sequence = () => {
        const count = l.below(4) + 1;
        const type = l.pick(["array", "string", "object", "array"]);
        const all = Array.from({ length: count }, (_, index) => ({ payload: value(1), ...(l.chance(0.3) ? { topic: l.pick(["a", "b"]) } : {}), parts: { id: "s", index, count, type, ch: ",", len: 1, key: `k${index}` } }));
        return l.chance(0.3) ? all.reverse() : all;
    };
    const messages = n => l.times(n, message);
    let sequences = 0;
    /** Sequences, each with an id of its own, and messages that are in none. */
    const mixed = n => l.times(n, () => {
        if (l.chance(0.5)) return [message()];
        const id = `s${++sequences}`;
        return sequence().map(msg => ({ ...msg, parts: { ...msg.parts, id } }));
    }).flat();
    const rows = () => l.times(4, () => l.times(4, () => l.pick(["1", "a", "", "\"x,y\"", "\"\"", " b ", "1.5", "01", "-2", "\"a\"\"b\"", "\"l\nm\"", "a\"b", "true", "0x1F"])).join(l.pick([",", ",", ",", ";"]))).join(l.pick(["\n", "\r\n", "\n"])) + l.pick(["", "\n"]);
    const TEXTS = ["{{payload}}", "{{{payload}}}", "{{topic}}", "{{payload.a}}", "{{#payload}}x{{.}}{{/payload}}", "{{^payload}}none{{/payload}}", "{{#payload.a}}{{b}}{{topic}}{{/payload.a}}", " - ", "\n", "{{payload.0}}", "{{payload.length}}", "ä{", "{{! c }}", "{{flow.nothing}}", "{{&other}}"];
    const node = {
        switch() {
            const rules = l.times(4, () => {
                const t = l.pick(["eq", "neq", "lt", "lte", "gt", "gte", "btwn", "cont", "regex", "true", "false", "null", "nnull", "empty", "nempty", "istype", "hask", "else", "head", "tail", "index"]);
                if (t === "istype") { const v = l.pick(["string", "number", "boolean", "array", "buffer", "object", "json", "undefined", "null"]); return { t, v, vt: v }; }
                if (["true", "false", "null", "nnull", "empty", "nempty", "else"].includes(t)) return { t };
                if (["head", "tail", "index"].includes(t)) return { t, v: l.pick(["0", "1", "2"]), vt: "num", v2: l.pick(["1", "2"]), v2t: "num" };
                const types = t === "regex" ? ["str", "str", "re"] : ["str", "num", "num", "msg", "prev", "jsonata", "bool"];
                const [v, vt] = typed(types);
                const [v2, v2t] = typed(["str", "num", "msg"]);
                return { t, v, vt, ...(t === "btwn" ? { v2, v2t } : {}), ...(t === "regex" ? { case: l.chance(0.5) } : {}) };
            });
            const [property, propertyType] = l.chance(0.8) ? [l.pick(PATHS), "msg"] : typed(["jsonata"]);
            return [{ property, propertyType, rules, checkall: l.pick(["true", "false"]), repair: false }, rules.length, mixed(4)];
        },
        change() {
            const rules = l.times(4, () => {
                const t = l.pick(["set", "set", "change", "delete", "move"]);
                const p = l.pick(PATHS);
                if (t === "delete") return { t, p, pt: "msg" };
                if (t === "move") return { t, p, pt: "msg", to: l.pick(PATHS), tot: "msg" };
                const [to, tot] = typed(["str", "num", "bool", "json", "msg", "jsonata", "bin", "env"]);
                if (t === "set") return { t, p, pt: "msg", to, tot, ...(tot === "msg" ? { dc: true } : {}) };
                const [from, fromt] = typed(["str", "num", "bool", "re", "msg"]);
                return { t, p, pt: "msg", from, fromt, to, tot };
            });
            return [{ rules }, 1, messages(4)];
        },
        range() {
            const bound = () => l.pick(["0", "1", "10", "-5", "2.5", "100", 3, ""]);
            return [{ action: l.pick(["scale", "clamp", "roll", "drop"]), round: l.chance(0.4), minin: bound(), maxin: bound(), minout: bound(), maxout: bound(), property: l.pick(PATHS) }, 1, messages(5)];
        },
        template: () => [{ field: l.pick(["payload", "topic", "new.x"]), fieldType: "msg", syntax: l.pick(["mustache", "mustache", "mustache", "plain"]), template: l.times(4, () => l.pick(TEXTS)).join(""), output: l.pick(["str", "str", "json", "yaml"]) }, 1, messages(4)],
        split: () => [{ splt: l.pick(["\\n", ",", "a", "2", ""]), spltType: l.pick(["str", "str", "len"]), arraySplt: l.pick([1, 2, 3]), arraySpltType: "len", stream: l.chance(0.3), addname: l.pick(["", "topic", "k"]), property: l.pick(["payload", "payload", "payload.a"]) }, 1, mixed(4)],
        join() {
            const mode = l.pick(["auto", "custom", "custom", "reduce"]);
            return [{ mode, build: l.pick(["string", "buffer", "array", "object", "merged"]), property: l.pick(["payload", "payload", "topic"]), propertyType: l.pick(["msg", "msg", "full"]), key: "topic", joiner: l.pick(["\\n", ",", ""]), joinerType: "str", accumulate: l.chance(0.2), timeout: "", count: l.pick(["", "2", "3"]), useparts: l.chance(0.5), reduceRight: l.chance(0.3), reduceExp: l.pick(["$A & $type(payload)", "$append($A, $type(payload))", "$A + $I"]), reduceInit: l.pick(["0", "1"]), reduceInitType: "num", reduceFixup: l.pick(["", "$string($A)"]) }, 1, mixed(5)];
        },
        sort: () => [{ target: "payload", targetType: l.pick(["msg", "seq"]), msgKey: l.pick(["payload", "a", "$type($)"]), msgKeyType: l.pick(["elem", "elem", "jsonata"]), seqKey: l.pick(["payload", "topic"]), seqKeyType: l.pick(["msg", "jsonata"]), order: l.pick(["ascending", "descending"]), as_num: l.chance(0.5) }, 1, l.chance(0.5) ? l.times(3, () => ({ payload: l.times(6, () => value(1)) })) : mixed(3)],
        batch: () => [{ mode: l.pick(["count", "concat"]), count: l.pick(["1", "2", "3"]), overlap: l.pick(["0", "1", "2"]), interval: "10", allowEmptySequence: false, honourParts: l.chance(0.3), topics: l.pick([["a"], ["a", "b"], ["b", "a"]]).map(topic => ({ topic })) }, 1, mixed(5)],
        csv: () => [{ spec: l.pick(["rfc", ""]), sep: l.pick([",", ",", ";"]), hdrin: l.pick(["", true]), hdrout: l.pick(["none", "all", "once"]), multi: l.pick(["one", "mult"]), ret: l.pick(["\\n", "\\r\\n"]), temp: l.pick(["", "", "a,b", "a,,c"]), skip: l.pick(["0", "0", "1"]), strings: l.chance(0.7), include_empty_strings: l.pick(["", true]), include_null_values: l.pick(["", true]) }, 1,
            l.times(4, () => (l.chance(0.6) ? { payload: rows() } : { payload: l.chance(0.5) ? l.times(3, () => Object.fromEntries(l.times(3, () => [l.pick(["a", "b", "c"]), l.pick(SCALARS)]))) : value() }))],
        json: () => [{ property: l.pick(["payload", "payload", "payload.a"]), action: l.pick(["", "str", "obj"]), pretty: l.chance(0.3) }, 1, l.times(4, () => (l.chance(0.5) ? message() : { payload: l.pick(["{\"b\":[1,{\"c\":null}]}", "[1,2", "\"x\"", "{\"a\":1e3,\"a\":2}", "nul", "{'a':1}", "[\"\\u00e9\"]", "-", "1 2"]) }))],
        rbe: () => [{ func: l.pick(["rbe", "rbei", "deadband", "deadbandEq", "narrowband", "narrowbandEq"]), gap: l.pick(["1", "10%", "2"]), start: l.pick(["", "1"]), inout: l.pick(["in", "out"]), septopics: l.chance(0.7), property: l.pick(["payload", "payload", "payload.a"]), topi: "topic" }, 1, messages(6)],
        delay: () => [{ pauseType: l.pick(["delay", "delayv", "random"]), timeout: "20", timeoutUnits: "milliseconds", rate: "1", nbRateUnits: "1", rateUnits: "second", randomFirst: "30", randomLast: "30", randomUnits: "milliseconds", drop: false, allowrate: false, outputs: 1 }, 1, [{ payload: 0 }, ...l.times(3, at => (l.chance(0.7) ? { payload: at + 1 } : l.pick([{ reset: true }, { flush: true }, { flush: 1 }, { payload: "f", flush: true }, { payload: "r", reset: 1 }])))], { timed: true, tail: 150 }],
        trigger() {
            const [op1, op1type] = l.pick([["1", "str"], ["", "pay"], ["", "nul"], ["5", "num"], ["{\"a\":1}", "json"], ["{{payload}}", "str"]]);
            const [op2, op2type] = l.pick([["0", "str"], ["", "pay"], ["", "payl"], ["", "nul"], ["true", "bool"]]);
            return [{ op1, op1type, op2, op2type, duration: "60", extend: l.pick(["true", "false"]), units: "ms", reset: l.pick(["", "stop"]), bytopic: l.pick(["all", "topic"]), topic: "topic", outputs: 1 }, 1, l.times(4, () => (l.chance(0.8) ? { payload: l.pick([1, "a", "stop", null]), topic: l.pick(["a", "b"]) } : { reset: true, topic: "a" })), { timed: true, tail: 200 }];
        },
    };
    return {
        types: Object.keys(node),
        draw(type) {
            plain = ["switch", "change", "join", "sort"].includes(type);
            const [config, outputs, msgs, more = {}] = node[type]();
            return { node: { type, ...config }, ...(outputs === 1 ? {} : { outputs }), ...more, msgs };
        },
    };
}
