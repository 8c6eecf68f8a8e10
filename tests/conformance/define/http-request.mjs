// http request: what is asked, over a server of a tcp in node that shows it and answers as it is told.
import { fn, node, placed, sink, start } from "./_flows.mjs";
import { buffer, KINDS, undef } from "./_values.mjs";

const slow = 900;
const cases = [];
/** Shows each request (its headers in the order of their names) and answers what the case says: a text, or a function's body. */
const server = (answer, port = "@PORT1@") => [
    node("s", "tcp in", { server: "server", host: "", port, datamode: "stream", datatype: "buffer", newline: "", topic: "", trim: false, base64: false, tls: "" }, ["sf"]),
    fn("sf", `
const id = msg._session.id;
const got = (context.get(id) || '') + msg.payload.toString('latin1');
context.set(id, got);
const end = got.indexOf('\\r\\n\\r\\n');
if (end < 0) return;
const length = /content-length: (\\d+)/i.exec(got);
let body = got.slice(end + 4);
if (length && body.length < Number(length[1])) return;
if (/transfer-encoding: chunked/i.test(got)) {
    if (!body.endsWith('0\\r\\n\\r\\n')) return;
    body = body.replace(/^[0-9a-f]+\\r\\n/i, '').replace(/\\r\\n0\\r\\n\\r\\n$/, '');
}
context.set(id, '');
const boundary = /boundary=(\\S+)/.exec(got);
let [line, ...headers] = got.slice(0, end).split('\\r\\n');
if (boundary) {
    headers = headers.filter(text => !/^(content-length|transfer-encoding):/i.test(text)).map(text => text.replace(boundary[1], 'BOUNDARY'));
    body = body.split(boundary[1]).join('BOUNDARY');
}
// (who asks is another, and how it writes that)
headers = headers.filter(text => !/^user-agent: (got|vgdc)/i.test(text));
headers.sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
const count = (context.get('count') || 0) + 1;
context.set('count', count);
const answer = (function () { ${answer} })();
msg.payload = Buffer.isBuffer(answer) ? answer : Buffer.from(String(answer ?? ''), 'latin1');
return [answer === undefined ? null : msg, { line, headers, body }];`, {}, ["so"], ["asked"]),
    node("so", "tcp out", { beserver: "reply", host: "", port: "", base64: false, end: false, tls: "", name: "" }),
    sink("asked"),
];
const reply = (body, head = "Content-Type: text/plain", status = "200 OK") => `return ${JSON.stringify(`HTTP/1.1 ${status}\r\n${head ? `${head}\r\n` : ""}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${Buffer.from(body).toString("latin1")}`)};`;
const request = (config = {}) => node("n", "http request", { method: "GET", ret: "txt", paytoqs: "ignore", url: "http://127.0.0.1:@PORT1@/p", tls: "", persist: false, proxy: "", insecureHTTPParser: false, authType: "", senderr: false, headers: [], ...config }, ["out"]);
const add = (name, config, msgs = [{}], answer = reply("answer"), more = {}) => cases.push({ name, flow: placed([request(config), sink(), ...server(answer), node("c", "catch", { scope: ["n"] }, ["err"]), sink("err"), node("d", "complete", { scope: ["n"] }, ["fin"]), sink("fin")]), to: "n", slow, hide: ["log"], ignore: ["s"], ...more, msgs });

// What is asked.
for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]) for (const payload of ["text", { a: [1, "ä"] }]) add(`${method} of ${JSON.stringify(payload)}`, { method }, [{ payload, topic: "t" }], method === "HEAD" ? "return 'HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\n'" : undefined);
for (const [kind, payload] of Object.entries(KINDS)) add(`POST of ${kind}`, { method: "POST" }, [{ payload }]);
add("POST of nothing", { method: "POST" }, [{ topic: "t" }]);
for (const method of ["use", "post", "", undefined, "GET"]) add(`a method of the message: ${method}`, { method }, [{ method: "put", payload: "x" }, { method: "DELETE" }, { payload: "x" }, { method: "BREW" }]);
add("a method that is no text", { method: "use" }, [{ method: 5 }]);
for (const paytoqs of [true, "query", "body", "ignore", false]) add(`payload as ${paytoqs}`, { paytoqs }, [{ payload: { a: 1, b: ["x", "y"], c: { d: 1 }, e: "ä &=", f: null, g: true } }, { payload: "text" }, { payload: 5 }, { payload: buffer("b") }, {}, { payload: ["a", "b"] }, { payload: null }]);
for (const url of ["http://127.0.0.1:@PORT1@/p?x=1", "http://127.0.0.1:@PORT1@/p?"]) add(`payload behind ${url}`, { paytoqs: "query", url }, [{ payload: { a: 1 } }, { payload: {} }]);

// Addresses.
for (const url of ["127.0.0.1:@PORT1@/no/scheme", "http://127.0.0.1:@PORT1@", "http://127.0.0.1:@PORT1@?q", "http://127.0.0.1:@PORT1@/ä ö/%20?x=ü&y=%zz&z=20%", "http://127.0.0.1:@PORT1@/p#frag", "HTTP://127.0.0.1:@PORT1@/p", "http://127.0.0.1:@PORT1@/a/../b", "http://127.0.0.1:@PORT1@/{{topic}}/{{{raw}}}?t={{topic}}", "http://user:pa%20ss@127.0.0.1:@PORT1@/p", "http://localhost:@PORT1@/p"]) add(`address ${url}`, { url }, [{ topic: "a/b &", raw: "x/y" }]);
for (const url of ["", "ftp://127.0.0.1/", "http://", "http://127.0.0.1:99999/", "http://[/", "   ", "http:// 127.0.0.1/", "mailto:x", "https//x"]) add(`address ${url || "none"}`, { url }, [{ payload: 1 }]);
add("an address of the message", { url: "" }, [{ url: "http://127.0.0.1:@PORT1@/m" }, { url: "127.0.0.1:@PORT1@/m2" }, {}, { url: "ws://x" }]);
add("an address that is no text", { url: "" }, [{ url: 5 }]);
add("an address of both", {}, [{ url: "http://127.0.0.1:@PORT1@/other" }, { url: "http://127.0.0.1:@PORT1@/p" }], undefined, { hide: [] });

// Headers.
const header = (keyType, keyValue, valueType, valueValue) => ({ keyType, keyValue, valueType, valueValue });
add("headers of the message", {}, [{ headers: { "X-Own": "1", "x-lower": "2", "User-Agent": "own", "content-TYPE": "a/b", Accept: "c/d", "X-List": ["a", "b"] } }]);
add("headers of a message with a payload", { method: "POST" }, [{ payload: { a: 1 }, headers: { "content-type": "application/x-www-form-urlencoded" } }, { payload: { a: "ä", b: [1, 2] }, headers: { "Content-Type": "application/x-www-form-urlencoded" } }, { payload: "x", headers: { "Content-Length": "1" } }, { payload: { a: 1 }, headers: { "content-type": "text/plain" } }, { payload: "x", headers: { "CONTENT-TYPE": "x/y" } }]);
add("headers of the node", { headers: [header("other", "X-Node", "other", "n"), header("Accept", "", "text/plain", ""), header("other", "x-own", "msg", "topic"), header("msg", "name", "other", "by name"), header("other", "", "other", "none"), header("User-Agent", "", "other", "")] }, [{ topic: "t", name: "X-Named", headers: { "X-Own": "message", "X-More": "m" } }, {}]);
for (const headers of [{ "X-A": 5 }, { "X-A": true }, { "X-A": null }, { "X-A": "" }, { "X-A": undef }, { "X A": "b" }, { "X-A": "a\nb" }, { "X-A": "ä" }, { "X-A": {} }, { Host: "own.example" }, { Connection: "close" }, { Cookie: "a=1; b=2" }, { Authorization: "Own x" }]) add(`headers ${JSON.stringify(headers)}`, {}, [{ headers }]);
add("headers of an answer before", {}, [{}, { headers: { "content-type": "text/plain", "x-node-red-request-node": "12345678" } }]);

// Cookies.
for (const cookies of [{ a: "1", b: "ä ;" }, { a: { value: "x y" } }, { a: { value: "x%20y", encode: false } }, { a: null, b: "1" }, { a: { value: null } }, { a: 5 }, { a: { value: "v", path: "/other" } }]) add(`cookies ${JSON.stringify(cookies)}`, {}, [{ cookies }, { cookies, headers: { cookie: "h=1" } }]);
add("cookies come", {}, [{}], reply("x", "Set-Cookie: a=1; Path=/; HttpOnly\r\nSet-Cookie: b=ä; Max-Age=5; Domain=x.y\r\nSet-Cookie: c\r\nset-cookie: d=\"q\"; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; SameSite=Lax"));

// Answers.
for (const ret of ["txt", "bin", "obj", undefined, "strange"]) for (const [what, body, head, status] of [["JSON", "{\"a\":\"ä\"}", "Content-Type: application/json"], ["bad JSON", "{", ""], ["text", "text €", "Content-Type: text/plain; charset=utf-8"], ["nothing", "", ""], ["204", "", "", "204 No Content"], ["an error", "{\"e\":1}", "", "500 Broken"]]) add(`answers ${what} as ${ret}`, { ret }, [{ payload: "before", topic: "t" }], reply(body, head, status), { hide: [] });
for (const [what, raw] of [["chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"], ["headers that come twice", "HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nVary: a\r\nVary: b\r\nContent-Length: 0\r\n\r\n"], ["a status of its own", "HTTP/1.1 299 Own Words\r\nContent-Length: 1\r\n\r\nx"], ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"], ["no HTTP", "nonsense\r\n\r\n"], ["a length that is too small", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc"], ["100 first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"], ["gzip that is not asked for", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"], ["304", "HTTP/1.1 304 Not Modified\r\n\r\n"], ["latin1 in a header", "HTTP/1.1 200 OK\r\nX-A: \xe4\r\nContent-Length: 0\r\n\r\n"], ["401", "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"]]) add(`answers ${what}`, { ret: "txt" }, [{ payload: 1 }], `return ${JSON.stringify(raw)};`);

// Redirects.
const redirect = (status, location, more = "") => `return count === 1 ? 'HTTP/1.1 ${status} Moved\\r\\nLocation: ${location}\\r\\n${more}Content-Length: 0\\r\\n\\r\\n' : 'HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nend';`;
for (const status of [301, 302, 303, 307, 308, 300, 304, 305]) for (const method of ["GET", "POST"]) add(`redirected ${method} by ${status}`, { method }, [{ payload: "x" }], redirect(status, "/other?x=1"));
for (const location of ["http://127.0.0.1:@PORT1@/abs", "relative", "../up", "?q=1", "//127.0.0.1:@PORT1@/two", "http://localhost:@PORT1@/host", "ftp://x/", ""]) add(`redirected to ${location || "nowhere"}`, {}, [{ headers: { Authorization: "secret", "X-A": "kept", cookie: "a=1" } }], redirect(302, location));
add("redirected with cookies", {}, [{}], redirect(302, "/other", "Set-Cookie: a=1; Path=/\\r\\n"));
add("redirects are not followed", {}, [{ followRedirects: false }, { followRedirects: true }], redirect(302, "/other"));
add("redirected for ever", {}, [{}], "return 'HTTP/1.1 302 Moved\\r\\nLocation: /again\\r\\nContent-Length: 0\\r\\n\\r\\n';", { hide: ["log"] });

// Passwords.
for (const authType of ["basic", "bearer", "digest", ""]) for (const credentials of [{ user: "u", password: "p:ä" }, { user: "u" }, { password: "p" }, {}]) add(`auth ${authType} ${Object.keys(credentials)}`, { authType }, [{}], undefined, { credentials: { n: credentials } });
const challenge = head => `return /\\r\\nauthorization:/i.test('\\r\\n' + headers.join('\\r\\n')) ? (context.set('count', 0), headers = headers.map(text => text.replace(/cnonce="?[^",]*"?/, 'cnonce=#').replace(/response="[0-9a-f]+"/, text.includes('cnonce') ? 'response=#' : '$&')), 'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nin') : 'HTTP/1.1 401 Unauthorized\\r\\nWWW-Authenticate: ${head}\\r\\nContent-Length: 2\\r\\n\\r\\nno';`;
for (const head of ["Digest realm=\"r\", nonce=\"n\"", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\", opaque=\"o\", algorithm=MD5", "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"", "Basic realm=\"r\"", "Digest realm=\"r, s\", nonce=\"n=\", qop=\"auth,auth-int\", algorithm=SHA-256"]) add(`digest ${head}`, { authType: "digest", method: "POST" }, [{ payload: "x" }], challenge(head), { credentials: { n: { user: "u", password: "p" } } });

// Uploads.
for (const payload of [{ a: "1", b: buffer("bin") }, { f: { value: buffer("x"), options: { filename: "n.txt", contentType: "text/x" } } }, { o: { x: 1 }, n: null, u: undef, l: [1, 2], num: 5, t: true }, "text", { f: { value: "text" } }, {}]) add(`a form of ${JSON.stringify(payload)}`, { method: "POST" }, [{ payload, headers: { "Content-Type": "multipart/form-data" } }]);

// What goes wrong.
for (const senderr of [true, false]) {
    cases.push({ name: `nobody listens, ${senderr}`, flow: placed([request({ senderr }), sink(), node("c", "catch", { scope: null }, ["err"]), sink("err"), node("d", "complete", { scope: ["n"] }, ["fin"]), sink("fin")]), to: "n", slow, msgs: [{ payload: "x", topic: "t" }] });
    add(`no answer in time, ${senderr}`, { senderr }, [{ requestTimeout: 100, payload: "x" }], "return undefined;", { slow: 900 });
    add(`a name that is none, ${senderr}`, { senderr, url: "http://nothing.invalid/" }, [{ payload: 1 }], undefined, { slow: 900 });
}
for (const requestTimeout of ["abc", 0, -5, "200", null]) add(`time limit ${requestTimeout}`, {}, [{ requestTimeout, payload: "x" }], undefined, { hide: [], slow: 900 });
for (const rejectUnauthorized of [true, "false", "x", 5]) add(`rejectUnauthorized ${rejectUnauthorized}`, {}, [{ rejectUnauthorized }], undefined, { hide: [] });
add("the setting of a time limit", {}, [{ payload: 1 }], "return undefined;", { settings: { httpRequestTimeout: "100" }, slow: 900 });
add("two at once", {}, [{ payload: 1 }, { payload: 2 }], undefined);
add("kept open", { persist: true }, [{}, {}], undefined);
const proxied = [node("n", "http request", { method: "GET", ret: "txt", url: "http://elsewhere.invalid/x?y", proxy: "p" }, ["out"]), sink(), { id: "p", type: "http proxy", name: "", url: "http://127.0.0.1:@PORT1@", noproxy: ["other"] }, ...server(reply("proxied"))];
cases.push({ name: "by a proxy", flow: placed(proxied), to: "n", slow, hide: ["log"], msgs: [{}] });
cases.push({ name: "by a proxy with a password", flow: placed(proxied), to: "n", slow, hide: ["log"], credentials: { p: { username: "u", password: "p" } }, msgs: [{}] });
cases.push({ name: "asks the process itself", flow: placed([start("in", ["n"]), node("n", "http request", { method: "POST", ret: "obj", url: "@HTTP@/@ID@self?a=1" }, ["f"]), fn("f", "return { payload: msg.payload, statusCode: msg.statusCode, type: msg.headers['content-type'], url: msg.responseUrl };", {}, ["out"]), sink(), node("i", "http in", { url: "/@ID@self", method: "post" }, ["g"]), fn("g", "msg.payload = { got: msg.payload, q: msg.req.query, type: msg.req.headers['content-type'] }; msg.statusCode = 201; return msg;", {}, ["r"]), node("r", "http response", {})]), to: "in", slow, msgs: [{ payload: { a: 1 } }, { payload: "text" }] });
cases.push({ name: "an answer is handed on", flow: placed([node("i", "http in", { url: "/@ID@on", method: "get" }, ["n"]), request({}), node("out", "http response", {}), ...server(reply("answer", "Content-Type: text/x\r\nX-From: server", "203 Own"))]), slow, hide: ["log"], msgs: [{ $request: "GET /@ID@on", show: ["content-type", "x-from"] }] });
/** Rows of docs/differences.md, by the names of cases. */
const DIFFER = [
    [/^payload as (true|query)$/, "The status of a **http request** that has refused a message"],
    [/^address https\/\/x$|^headers \{"X( A|-A":"a)|^redirected for ever$|^redirected to ftp|^nobody listens|^a name that is none/, "`msg.error.cause` of a request that fails (**http request**)"],
    [/^answers (no HTTP|a length that is too small)$/, "An answer that is no HTTP (**http request**)"],
    [/^time limit 200$/, "`msg.requestTimeout` as a text (**http request**)"],
    [/^by a proxy/, "A proxy of a `http:` address (**http request**)"],
    [/^redirected POST by 303$/, "A redirect by 303 (**http request**)"],
    [/^redirected to http:\/\/localhost/, "`Authorization` of a request that is redirected to another host (**http request**)"],
];
for (const one of cases) {
    const row = DIFFER.find(([names]) => names.test(one.name));
    if (row) one.differs = row[1];
}
export default cases;
