// What is asked: flow files, settings, requests in their order, and what is said on comms. `keep` gives a part of an answer a name, `${name}`
// stands for it later; `only` compares these parts of an answer alone.

const json = value => JSON.stringify(value, null, 4);

const flows = [
    { id: "tab1", type: "tab", label: "First", disabled: false, info: "about it", env: [] },
    { id: "group1", type: "group", z: "tab1", name: "G", style: { label: true }, nodes: ["in1", "fn1"], x: 14, y: 19, w: 300, h: 82 },
    { id: "in1", type: "inject", z: "tab1", g: "group1", name: "press", props: [{ p: "payload" }, { p: "topic", vt: "str" }], repeat: "", crontab: "", once: false, onceDelay: 0.1, topic: "t", payload: "hello", payloadType: "str", x: 110, y: 60, wires: [["fn1"]] },
    { id: "fn1", type: "function", z: "tab1", g: "group1", name: "work", func: "context.set('seen', msg.payload); flow.set('list', [1, {a: 2}]); global.set('n', 42); node.status({fill: 'green', shape: 'dot', text: msg.payload}); return msg;", outputs: 1, timeout: 0, noerr: 0, initialize: "", finalize: "", libs: [], x: 250, y: 60, wires: [["db1"]] },
    { id: "db1", type: "debug", z: "tab1", name: "show", active: true, tosidebar: true, console: false, tostatus: false, complete: "payload", targetType: "msg", statusVal: "", statusType: "auto", x: 410, y: 60, wires: [] },
    { id: "db2", type: "debug", z: "tab1", name: "whole", active: true, tosidebar: true, console: false, tostatus: false, complete: "true", targetType: "full", statusVal: "", statusType: "auto", x: 410, y: 120, wires: [] },
    { id: "sub1", type: "subflow", name: "Sub", info: "", category: "", in: [], out: [], env: [], color: "#DDAA99" },
    { id: "subfn", type: "function", z: "sub1", name: "", func: "return msg;", outputs: 1, timeout: 0, noerr: 0, initialize: "", finalize: "", libs: [], x: 250, y: 60, wires: [[]] },
    { id: "tab2", type: "tab", label: "Second" },
    { id: "lo1", type: "link out", z: "tab2", name: "", mode: "link", links: [], x: 100, y: 40, wires: [] },
    { id: "mq1", type: "mqtt-broker", name: "b", broker: "127.0.0.1", port: "1", clientid: "", autoConnect: false, usetls: false, protocolVersion: "4", keepalive: "60", cleansession: true, autoUnsubscribe: true, birthTopic: "", birthQos: "0", birthPayload: "", birthMsg: {}, closeTopic: "", closeQos: "0", closePayload: "", closeMsg: {}, willTopic: "", willQos: "0", willPayload: "", willMsg: {}, userProps: "", sessionExpiry: "" },
];
const v2 = { "Node-RED-API-Version": "v2" };
const GET = (path, more = {}) => ({ request: { path, headers: more.headers }, ...more, headers: undefined });
const POST = (path, body, more = {}) => ({ request: { method: "POST", path, body, headers: more.headers }, ...more, headers: undefined });
const PUT = (path, body, more = {}) => ({ request: { method: "PUT", path, body }, ...more });
const DELETE = (path, more = {}) => ({ request: { method: "DELETE", path }, ...more });

/** Node-RED gives out what is a secret by its name alone; here nothing of credentials is given out. */
const secret = path => GET(path, { differs: "credentials are never given out" });

const plain = { credentialSecret: false, runtimeState: { enabled: true, ui: true } };
const changed = flows.map(node => node.id === "db1" ? { ...node, name: "other", 10: "ten", 2: [1.50, 1e21, -0, 1e-7, "é\u2028\ud83d\ude00\u0001"] } : node);

export const scenarios = [
    {
        name: "flows", settings: plain, files: { "flows.json": json(flows) },
        steps: [
            GET("/flows"),
            GET("/flows", { headers: v2, keep: { rev: "/rev" } }),
            GET("/flows", { headers: { "Node-RED-API-Version": "v1" } }),
            GET("/flows", { headers: { "Node-RED-API-Version": "v3" } }),
            POST("/flows", [], { headers: { "Node-RED-API-Version": "x" } }),
            POST("/flows", { flows: changed, rev: "no-such-revision" }, { headers: v2 }),
            POST("/flows", { flows: changed, rev: "${rev}" }, { headers: { ...v2, "Node-RED-Deployment-Type": "nodes" } }),
            GET("/flows", { headers: v2 }),
            POST("/flows", { flows: changed, rev: "${rev}" }, { headers: v2 }),
            POST("/flows", { flows }, { headers: { ...v2, "Node-RED-Deployment-Type": "flows" } }),
            POST("/flows", changed),
            GET("/flows", { headers: v2 }),
            POST("/flows", flows, { headers: { "Node-RED-Deployment-Type": "full" } }),
            POST("/flows", undefined, { headers: { ...v2, "Node-RED-Deployment-Type": "reload" } }),
            POST("/flows", undefined, { headers: { "Node-RED-Deployment-Type": "reload" } }),
            GET("/flows", { headers: v2, only: { rev: "/rev" } }),
            { request: { method: "POST", path: "/flows", text: "[{", headers: { "content-type": "application/json" } }, bodyless: true, differs: "a body that is no JSON is told as JSON" },
        ],
    },
    {
        name: "flow", settings: plain, files: { "flows.json": json(flows) },
        steps: [
            GET("/flow/tab1"), GET("/flow/tab2"), GET("/flow/global"), GET("/flow/nosuch"),
            POST("/flow", { label: "new", nodes: [{ id: "n1", type: "comment", name: "c", info: "", x: 1, y: 2, wires: [] }], configs: [], disabled: true, info: "i" }, { keep: { added: "/id" } }),
            GET("/flow/${added}"),
            POST("/flow", { label: "x" }),
            POST("/flow", { label: "x", nodes: [{ id: "in1", type: "comment" }] }),
            POST("/flow", { label: "x", nodes: [{ id: "zz", type: "tab" }] }),
            PUT("/flow/tab2", { id: "tab2", label: "Changed", nodes: [{ id: "c9", type: "comment", name: "n", info: "", x: 1, y: 2, wires: [] }] }),
            GET("/flow/tab2"),
            PUT("/flow/nosuch", { label: "x", nodes: [] }),
            PUT("/flow/global", { configs: [], subflows: [] }),
            GET("/flow/global"),
            DELETE("/flow/${added}"), DELETE("/flow/${added}"), DELETE("/flow/global"),
            GET("/flows"),
        ],
    },
    {
        name: "state", settings: plain, files: { "flows.json": json(flows) },
        steps: [
            GET("/flows/state"), POST("/flows/state", { state: "stop" }), GET("/flows/state"), POST("/inject/in1", {}), POST("/flows/state", { state: "nosuch" }),
            POST("/flows/state", {}), POST("/flows/state", { state: "start" }), GET("/flows/state"), POST("/inject/in1"),
        ],
    },
    {
        name: "credentials", settings: plain,
        files: { "flows.json": json(flows), "flows_cred.json": json({ mq1: { user: "me", password: "secret-of-mq1" } }) },
        steps: [
            secret("/credentials/mqtt-broker/mq1"), GET("/credentials/mqtt-broker/nosuch"), GET("/credentials/inject/in1"),
            POST("/flows", flows.map(node => node.id === "mq1" ? { ...node, credentials: { user: "you", password: "__PWRD__" } } : node)),
            secret("/credentials/mqtt-broker/mq1"),
            GET("/flows"),
            POST("/flows", flows.map(node => node.id === "mq1" ? { ...node, credentials: { user: "", password: "" } } : node)),
            secret("/credentials/mqtt-broker/mq1"),
            POST("/flows", flows.map(node => node.id === "tab2" ? { ...node, env: [{ name: "KEY", type: "cred", value: "" }], credentials: { KEY: "hidden-in-tab" } } : node)),
            GET("/credentials/tab/tab2"),
            POST("/flows", { flows, credentials: { mq1: { user: "third", password: "x" } } }, { headers: v2 }),
            secret("/credentials/mqtt-broker/mq1"),
            GET("/credentials/tab/tab2"),
        ],
    },
    {
        name: "context", settings: { ...plain, contextStorage: { default: { module: "memory" }, other: { module: "memory" } } }, files: { "flows.json": json(flows) },
        steps: [
            GET("/context/global"),
            POST("/inject/in1", {}), { open: true }, { wait: 300 },
            GET("/context/global"), GET("/context/global/n"), GET("/context/global/nosuch"), GET("/context/global?keysOnly"), GET("/context/global?store=other"), GET("/context/global?store=nosuch"),
            GET("/context/flow/tab1"), GET("/context/flow/tab1/list"), GET("/context/flow/tab1/list[1]"), GET("/context/flow/tab1/list[1]?keysOnly"), GET("/context/flow/tab1/list?keysOnly=true"), GET("/context/flow/nosuch"),
            GET("/context/node/fn1"), GET("/context/node/fn1/seen"), GET("/context/node/fn1/seen?keysOnly"), GET("/context/node/fn1/seen?store=other"), GET("/context/node/nosuch"),
            DELETE("/context/node/fn1/seen"), GET("/context/node/fn1"), DELETE("/context/global/n?store=nosuch"), DELETE("/context/global/n"), GET("/context/global"), DELETE("/context/flow/tab1/"),
        ],
    },
    {
        name: "inject", settings: plain, files: { "flows.json": json(flows) },
        steps: [
            POST("/inject/in1"), POST("/inject/in1", { __user_inject_props__: [{ p: "payload", v: "other", vt: "str" }], payload: 1 }), POST("/inject/nosuch", {}), POST("/inject/db1", {}),
            POST("/debug/db1/disable", {}), POST("/debug/db1/enable", {}), POST("/debug/db1/nosuch", {}, { bodyless: true }), POST("/debug/nosuch/enable", {}), POST("/debug/in1/disable", {}),
            POST("/debug/enable", { nodes: ["db1", "db2"] }), POST("/debug/disable", { nodes: ["db1", "nosuch"] }), POST("/debug/nosuch", { nodes: [] }, { bodyless: true }),
        ],
    },
    {
        name: "comms", settings: plain, files: { "flows.json": json(flows.map(node => node.id === "fn1" ? { ...node, wires: [["db1", "db2"]], func: `${node.func.replace("return msg;", "node.warn('careful'); node.error('wrong', msg); if (msg.payload === 'hello') return msg; msg.payload = eval(msg.payload); return msg;")}` } : node)) },
        steps: [
            { open: true }, { send: [{ subscribe: "notification/#" }], wait: 300 }, { send: [{ subscribe: "status/#" }], wait: 300 }, { send: [{ subscribe: "debug" }], wait: 300 },
            POST("/inject/in1"), { wait: 400 },
            ...["1.5", "true", "null", "undefined", "NaN", "'x'.repeat(1100)", "[1,[2,null,undefined],{a:NaN}]", "({a:{b:'c'},u:undefined,e:new Error('bad'),d:new Date(86400000),r:/x/g})",
                "Buffer.from('abc')", "[Buffer.from('abc')]", "new Error('oops').message", "new Map([['a',1]])", "new Set([1,2])", "10n", "Array.from({length:1005},(v,i)=>i)", "new Date(0)", "''", "/re/i", "({b:10n,s:new Set([1]),m:new Map([['k','v']])})", "[]", "({})",
            ].flatMap(text => [POST("/inject/in1", { __user_inject_props__: [{ p: "payload", v: text, vt: "str" }], _msgid: "m" }), { wait: 250 }]),
            POST("/debug/db1/disable", {}), POST("/inject/in1", { __user_inject_props__: [{ p: "payload", v: "2", vt: "str" }] }), { wait: 300 },
            POST("/flows", { flows }, { headers: v2 }), { wait: 600 },
            POST("/flows", { flows: [...flows, { id: "un1", type: "no such type", z: "tab2", x: 1, y: 1, wires: [] }] }, { headers: v2 }), { wait: 600 },
            GET("/flows/state"), POST("/inject/in1", {}),
            POST("/flows", { flows }, { headers: v2 }), { wait: 600 },
            POST("/flows/state", { state: "stop" }), { wait: 400 }, POST("/flows/state", { state: "start" }), { wait: 400 },
        ],
    },
    {
        name: "settings", settings: plain, files: { "flows.json": json(flows) },
        steps: [
            GET("/settings", { only: { root: "/httpNodeRoot", context: "/context", state: "/runtimeState", diagnostics: "/diagnostics" } }),
            GET("/settings/user"), POST("/settings/user", { editor: { view: { grid: true, n: 1 } }, x: "y" }), GET("/settings/user"), POST("/settings/user", { editor: { view: { grid: null } } }), GET("/settings/user"),
            GET("/nodes", { headers: { accept: "application/json" }, bodyless: true }),
            GET("/nodes/node-red", { only: { name: "/name" } }), GET("/nodes/nosuch"), GET("/nodes/node-red/inject", { headers: { accept: "application/json" } }), GET("/nodes/node-red/nosuch", { headers: { accept: "application/json" } }),
            GET("/diagnostics", { only: { report: "/report", scope: "/scope" } }),
            GET("/auth/login"),
        ],
    },
    {
        name: "auth",
        settings: {
            ...plain,
            adminAuth: {
                type: "credentials", sessionExpiryTime: 600,
                users: [
                    { username: "admin", password: "$2b$08$EzbfaD082GjDrOnmWdV.OeBucBfEnFEOe4cpJv0CwVAEjMyHmkUd2", permissions: "*" },
                    { username: "reader", password: "$2b$08$EzbfaD082GjDrOnmWdV.OeBucBfEnFEOe4cpJv0CwVAEjMyHmkUd2", permissions: "read" },
                ],
            },
        },
        files: { "flows.json": json(flows) },
        steps: [
            GET("/auth/login"), GET("/flows"), GET("/settings"), POST("/flows", []), POST("/inject/in1", {}), GET("/settings/user"),
            POST("/auth/token", { client_id: "node-red-editor", grant_type: "password", scope: "*", username: "admin", password: "wrong" }),
            POST("/auth/token", { client_id: "nosuch", grant_type: "password", scope: "*", username: "admin", password: "pw" }),
            POST("/auth/token", { client_id: "node-red-admin", grant_type: "nosuch", scope: "*", username: "admin", password: "pw" }),
            POST("/auth/token", { client_id: "node-red-admin", grant_type: "password", scope: "*", username: "reader", password: "pw" }),
            POST("/auth/token", { client_id: "node-red-admin", grant_type: "password", scope: "read", username: "reader", password: "pw" }, { keep: { token: "/access_token" }, bearer: "/access_token" }),
            GET("/flows", { bodyless: true }), POST("/flows", []), POST("/inject/in1", {}), POST("/settings/user", { a: 1 }),
            GET("/settings", { only: { user: "/user" } }),
            POST("/auth/token", { client_id: "node-red-admin", grant_type: "password", scope: "*", username: "admin", password: "pw" }, { keep: { admin: "/access_token" }, bearer: "/access_token" }),
            GET("/settings", { only: { user: "/user" } }),
            POST("/inject/in1", {}),
            { open: true }, { send: [{ auth: "wrong" }], wait: 200 }, { open: true }, { send: [{ auth: "${admin}" }], wait: 200 },
            POST("/auth/revoke", { token: "${admin}" }), GET("/flows"),
        ],
    },
];
