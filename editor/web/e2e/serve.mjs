/**
 * Serves the built editor and passes the API and comms on to a Node-RED or vgdc: one origin, as in use.
 *
 * As a program: node e2e/serve.mjs [--api http://127.0.0.1:1880] [--port 8080] [--path /some/path/] [--token TOKEN]
 */
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const DIST = join(dirname(fileURLToPath(import.meta.url)), "../dist");
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".json": "application/json", ".woff2": "font/woff2" };
// What the page must do with: its own files and its own origin, nothing else.
const POLICY = "default-src 'self'; frame-ancestors 'none'";
// The frame with packages' code: an origin of its own, whatever the frame's element says, and no connections.
const FRAME_POLICY = "sandbox allow-scripts; default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/** Starts a server; `path` is where the page and the API lie. With a token, all requests are let in by it, as from a page of the API's own. */
export function serve({ api, port = 0, path = "/", token }) {
  const target = new URL(api);
  const own = { host: target.host, ...(token === undefined ? {} : { authorization: `Bearer ${token}`, origin: target.origin }) };
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? "/", "http://localhost");
    if (!url.pathname.startsWith(path)) return outgoing.writeHead(404).end();
    const rest = normalize(decodeURIComponent(url.pathname.slice(path.length))) || "index.html";
    const file = join(DIST, rest === "." || rest === "/" ? "index.html" : rest);
    if (incoming.method === "GET" && file.startsWith(DIST) && existsSync(file) && statSync(file).isFile()) {
      outgoing.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream", "Content-Security-Policy": rest === "frame.html" ? FRAME_POLICY : POLICY });
      return createReadStream(file).pipe(outgoing);
    }
    const options = { host: target.hostname, port: target.port, path: `/${url.pathname.slice(path.length)}${url.search}`, method: incoming.method, headers: { ...asTo(target, incoming.headers), ...own } };
    const passed = request(options, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on("error", (error) => outgoing.writeHead(502, { "Content-Type": "text/plain" }).end(error.message));
    incoming.pipe(passed);
  });
  server.on("upgrade", (incoming, socket, head) => {
    const upstream = connect(Number(target.port), target.hostname, () => {
      const lines = Object.entries({ ...asTo(target, incoming.headers), ...own }).map(([name, value]) => `${name}: ${value}`);
      upstream.write(`GET /${incoming.url.slice(path.length)} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    // Either end may go at any time; the other then goes, too.
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
  });
  return new Promise((resolve) => {
    server.listen(port, "127.0.0.1", () => resolve({ url: `http://127.0.0.1:${server.address().port}${path}`, stop: () => (server.closeAllConnections(), server.close()) }));
  });
}

/** The headers as if the page lay with the API: vgdc refuses what comes from pages of another origin. */
function asTo(target, headers) {
  const own = headers.origin === `http://${headers.host}`;
  return { ...headers, host: target.host, ...(own ? { origin: target.origin } : {}) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const option = (name, fallback) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : fallback);
  const { url } = await serve({ api: option("--api", "http://127.0.0.1:1880"), port: Number(option("--port", "8080")), path: option("--path", "/"), token: option("--token", undefined) });
  console.log(`the editor is at ${url}`);
}
