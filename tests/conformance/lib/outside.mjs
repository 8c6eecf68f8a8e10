// What steps do outside of flows: HTTP requests, TCP clients, files. (tests/whole/recorded/outside.rs does the same.)
import fs from "node:fs";
import net from "node:net";
import path from "node:path";

/** How long what has to come is waited for. */
const PATIENCE = 3000;

const bytesOf = value => (value?.$type === "buffer" ? Buffer.from(value.base64, "base64") : Buffer.from(String(value ?? "")));

/** Bytes as a text where they are one. */
function shown(bytes) {
    const text = bytes.toString("utf8");
    return Buffer.from(text).equals(bytes) ? text : { $type: "buffer", base64: bytes.toString("base64") };
}

/** A connection that keeps what comes. */
class Client {
    constructor(port, host = "127.0.0.1") {
        this.got = Buffer.alloc(0);
        this.ended = false;
        this.socket = net.connect(Number(port), host);
        this.socket.on("data", bytes => { this.got = Buffer.concat([this.got, bytes]); });
        for (const event of ["end", "close", "error"]) this.socket.on(event, () => { this.ended = true; });
        this.connected = new Promise(resolve => ["connect", "error"].forEach(event => this.socket.once(event, resolve)));
    }
    /** Waits until this holds of what has come. */
    async until(enough) {
        const begin = Date.now();
        while (!enough(this.got) && !this.ended && Date.now() - begin < PATIENCE) await new Promise(resolve => setTimeout(resolve, 2));
    }
    take(length = this.got.length) {
        const taken = this.got.subarray(0, length);
        this.got = this.got.subarray(taken.length);
        return taken;
    }
    close() { this.socket.destroy(); }
}

/** `{"$tcp":NAME,"port":PORT,"send":…,"read":BYTES|TEXT|"end"|"head","end":true,"close":true}`: what was read, if something is to be. */
export async function tcp(clients, { $tcp: name, port, send, read, show = [], end, close }) {
    let client = clients.get(name);
    if (!client) clients.set(name, client = new Client(port));
    await client.connected;
    if (send !== undefined) client.socket.write(bytesOf(send));
    if (end) client.socket.end();
    let seen;
    if (read === "end") {
        await client.until(() => false);
        seen = [shown(client.take()), client.ended ? "ended" : "open"];
    } else if (read === "head") {
        await client.until(got => got.includes("\r\n\r\n"));
        const { status, headers } = head(client.take(client.got.indexOf("\r\n\r\n") + 4));
        seen = { status, headers: chosen(headers, show) };
    } else if (typeof read === "string") {
        await client.until(got => got.includes(read));
        const at = client.got.indexOf(read);
        seen = shown(client.take(at < 0 ? undefined : at + read.length));
    } else if (read !== undefined) {
        await client.until(got => got.length >= read);
        seen = shown(client.take(read));
    }
    if (close) {
        client.close();
        clients.delete(name);
    }
    return seen;
}

/** `{"$request":"METHOD PATH","headers":{…},"body":…,"show":[HEADER…]}`: the status, the headers asked for, the body. */
export async function request(url, { $request: line, headers = {}, body, show = ["content-type"] }) {
    const host = url.slice("http://".length);
    const client = new Client(host.split(":")[1]);
    await client.connected;
    const content = body === undefined ? undefined : bytesOf(body);
    const given = { Host: host, Connection: "close", ...(content ? { "Content-Length": content.length } : {}), ...headers };
    const lines = Object.entries(given).filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${value}\r\n`);
    client.socket.write(Buffer.concat([Buffer.from(`${line} HTTP/1.1\r\n${lines.join("")}\r\n`), content ?? Buffer.alloc(0)]));
    await client.until(() => false);
    const all = client.take();
    client.close();
    const end = all.indexOf("\r\n\r\n");
    if (end < 0) return "no answer";
    const { status, headers: fields } = head(all.subarray(0, end));
    const raw = all.subarray(end + 4);
    const isChunked = fields.some(([name, value]) => name === "transfer-encoding" && value === "chunked");
    return { status, headers: chosen(fields, show), body: shown(isChunked ? dechunked(raw) : raw) };
}

/** The status and the headers of an answer. */
function head(bytes) {
    const [first, ...others] = bytes.toString("latin1").split("\r\n").filter(line => line !== "");
    const fields = others.map(text => [text.slice(0, text.indexOf(":")).toLowerCase(), text.slice(text.indexOf(":") + 1).trim()]);
    return { status: Number(first?.split(" ")[1]), headers: fields };
}

function chosen(fields, show) {
    const all = show.map(name => [name, fields.filter(([key]) => key === name).map(([, value]) => value)]);
    return Object.fromEntries(all.filter(([, values]) => values.length).map(([name, values]) => [name, values.length > 1 ? values : values[0]]));
}

function dechunked(raw) {
    const parts = [];
    for (let at = 0; at < raw.length;) {
        const end = raw.indexOf("\r\n", at);
        const length = parseInt(raw.subarray(at, end).toString(), 16);
        if (end < 0 || !length) break;
        parts.push(raw.subarray(end + 2, end + 2 + length));
        at = end + 4 + length;
    }
    return Buffer.concat(parts);
}

/** `{"$file":NAME}` reads (`null` where there is none), with `write` (`times`), `append`, `remove` or `folder` it makes one. */
export function file(dir, { $file: name, write, times = 1, append, remove, folder }) {
    const place = path.join(dir, name);
    if (write !== undefined) return void fs.writeFileSync(place, Buffer.concat(Array(times).fill(bytesOf(write))));
    if (append !== undefined) return void fs.appendFileSync(place, bytesOf(append));
    if (remove) return void fs.rmSync(place, { recursive: true, force: true });
    if (folder) return void fs.mkdirSync(place, { recursive: true });
    return fs.existsSync(place) ? shown(fs.readFileSync(place)) : null;
}
