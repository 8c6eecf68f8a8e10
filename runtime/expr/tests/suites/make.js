// Makes `jsonata.json` and `mustache.json` of the two official suites: `node make.js JSONATA SPEC NODE_MODULES`.
//
// JSONATA and SPEC are work trees of https://github.com/jsonata-js/jsonata and https://github.com/mustache/spec (the
// versions stand below and in LICENSE.txt), NODE_MODULES the packages of a Node-RED. A case that the library of that
// Node-RED does not pass itself is marked `"original": false`.
"use strict";
const fs = require("fs");
const path = require("path");
const assert = require("assert");

const VERSIONS = { jsonata: "2.2.2", mustache: "1.4.2-3-g9cb20c3" };
// JSONata 2.0.6 never returns from these: exponents of 0 and of negative numbers.
const ENDLESS = [0, 1, 3].map((number) => `function-formatNumber/issue785#${number}`);
const [jsonataTree, specTree, modules] = process.argv.slice(2).map((folder) => path.resolve(folder));
const read = (...names) => JSON.parse(fs.readFileSync(path.join(...names), "utf8"));
const json = (folder) => fs.readdirSync(folder).filter((name) => name.endsWith(".json")).sort();

// One case a line, so that changes can be read.
function write(name, head, cases) {
    const lines = Object.entries(head).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)},\n`);
    const text = cases.map((one) => JSON.stringify(one)).join(",\n");
    fs.writeFileSync(path.join(__dirname, name), `{${lines.join("")}"cases":[\n${text}\n]}\n`);
    const not = cases.filter((one) => one.original === false).map((one) => one.id);
    console.log(`${name}: ${cases.length} cases; Node-RED's library does not pass ${not.length}: ${not.join(", ")}`);
}

// JSON has no arrays with properties, which is what JSONata's sequences are.
const plain = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

async function jsonataPasses(jsonata, one, datasets) {
    const input = "data" in one ? one.data : datasets[one.dataset];
    try {
        const expression = jsonata(one.expr);
        if (one.limits) {
            limit(expression, ...one.limits);
        }
        const got = await expression.evaluate(structuredClone(input), one.bindings);
        if (one.undefinedResult) {
            return got === undefined;
        }
        assert.deepStrictEqual(plain(got), one.result);
        return "result" in one;
    } catch (error) {
        return one.code !== undefined && error.code === one.code;
    }
}

// What the suite's own runner does with cases that do not end.
function limit(expression, time, depth) {
    const until = Date.now() + time;
    let deep = 0;
    const look = (by) => () => {
        deep += by;
        if (deep > depth || Date.now() > until) {
            throw { code: "U1001" };
        }
    };
    expression.assign(Symbol.for("jsonata.__evaluate_entry"), look(1));
    expression.assign(Symbol.for("jsonata.__evaluate_exit"), look(-1));
}

async function jsonataSuite() {
    const jsonata = require(path.join(modules, "jsonata"));
    const suite = path.join(jsonataTree, "test", "test-suite");
    const datasets = {};
    for (const name of json(path.join(suite, "datasets"))) {
        datasets[name.slice(0, -5)] = read(suite, "datasets", name);
    }
    const cases = [];
    for (const group of fs.readdirSync(path.join(suite, "groups")).sort()) {
        const folder = path.join(suite, "groups", group);
        for (const name of json(folder)) {
            const found = read(folder, name);
            const several = Array.isArray(found);
            for (const [at, from] of (several ? found : [found]).entries()) {
                const one = { id: `${group}/${name.slice(0, -5)}${several ? `#${at}` : ""}` };
                one.expr = from["expr-file"] ? fs.readFileSync(path.join(folder, from["expr-file"]), "utf8") : from.expr;
                if ("data" in from) {
                    one.data = from.data;
                } else if (from.dataset !== null) {
                    one.dataset = from.dataset;
                }
                if (Object.keys(from.bindings ?? {}).length > 0) {
                    one.bindings = from.bindings;
                }
                if ("timelimit" in from && "depth" in from) {
                    one.limits = [from.timelimit, from.depth];
                }
                if ("undefinedResult" in from) {
                    one.undefinedResult = true;
                } else if ("result" in from) {
                    one.result = from.result;
                } else {
                    one.code = from.code ?? from.error.code;
                }
                if (ENDLESS.includes(one.id) || !(await jsonataPasses(jsonata, one, datasets))) {
                    one.original = false;
                }
                cases.push(one);
            }
        }
    }
    const original = read(modules, "jsonata", "package.json").version;
    write("jsonata.json", { version: VERSIONS.jsonata, original, datasets }, cases);
}

function mustacheSuite() {
    const mustache = require(path.join(modules, "mustache"));
    const cases = [];
    for (const name of json(path.join(specTree, "specs"))) {
        const group = name.slice(0, -5).replace("~", "");
        for (const from of read(specTree, "specs", name).tests) {
            const one = { id: `${group}/${from.name}`, template: from.template, data: from.data, expected: from.expected };
            // (lambdas are code in several languages)
            if (one.data?.lambda?.js) {
                one.data.lambda = null;
            }
            let got;
            try {
                got = mustache.render(from.template, from.data, from.partials);
            } catch {
                got = null;
            }
            if (got !== from.expected) {
                one.original = false;
            }
            cases.push(one);
        }
    }
    const original = read(modules, "mustache", "package.json").version;
    write("mustache.json", { version: VERSIONS.mustache, original }, cases);
}

jsonataSuite().then(mustacheSuite);
