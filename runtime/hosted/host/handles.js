'use strict';
// Things of the native side: what nodes here can do with them. They are handed on as they are, and are the same when they come back.

class NativeHandle {
  constructor(kind, id) {
    Object.defineProperty(this, 'kind', { value: kind });
    Object.defineProperty(this, 'id', { value: id });
  }
}

/** A handle whose properties (a request's headers, parameters, body) are asked for when one is first read. */
function readable(kind, id, props) {
  let known;
  return new Proxy(new NativeHandle(kind, id), {
    get(handle, key) {
      if (key in handle || typeof key === 'symbol') return handle[key];
      known ??= props(id) ?? {};
      // (Express's way to ask for a header)
      if ((key === 'get' || key === 'header') && known.headers) return (name) => known.headers[String(name).toLowerCase()];
      return known[key];
    },
  });
}

/** The response to a request that the native side has got: as much of Express's as answers one. */
class NativeResponse extends NativeHandle {
  #answer;
  #headers = new Map();
  #parts = [];

  constructor(id, answer) {
    super('ServerResponse', id);
    this.#answer = answer;
    this.headersSent = false;
    this.statusCode = 200;
  }

  /** Node-RED's name for the response itself. */
  get _res() {
    return this;
  }

  status(code) {
    this.statusCode = code;
    return this;
  }

  set(name, value) {
    if (typeof name === 'object') Object.entries(name).forEach(([each, inner]) => this.setHeader(each, inner));
    else this.setHeader(name, value);
    return this;
  }

  header(name, value) {
    return this.set(name, value);
  }

  setHeader(name, value) {
    this.#headers.set(String(name).toLowerCase(), [name, Array.isArray(value) ? value.map(String) : [String(value)]]);
    return this;
  }

  getHeader(name) {
    return this.#headers.get(String(name).toLowerCase())?.[1].join(', ');
  }

  get(name) {
    return this.getHeader(name);
  }

  removeHeader(name) {
    this.#headers.delete(String(name).toLowerCase());
  }

  append(name, value) {
    const before = this.#headers.get(String(name).toLowerCase())?.[1] ?? [];
    return this.setHeader(name, [...before, ...[value].flat()]);
  }

  type(name) {
    return this.set('Content-Type', name.includes('/') ? name : { html: 'text/html', json: 'application/json', text: 'text/plain', txt: 'text/plain' }[name] ?? `application/${name}`);
  }

  writeHead(code, headers) {
    if (headers) this.set(headers);
    return this.status(code);
  }

  write(part) {
    this.#parts.push(Buffer.from(part));
    return true;
  }

  end(part) {
    if (part !== undefined && part !== null && typeof part !== 'function') this.write(part);
    if (this.headersSent) throw Object.assign(new Error('Cannot set headers after they are sent to the client'), { code: 'ERR_HTTP_HEADERS_SENT' });
    this.headersSent = true;
    const headers = [...this.#headers.values()].flatMap(([name, values]) => values.map((value) => [name, value]));
    this.#answer(this, { status: this.statusCode, headers, body: Buffer.concat(this.#parts) });
    return this;
  }

  send(body) {
    if (typeof body === 'string') {
      if (!this.getHeader('content-type')) this.type('text/html; charset=utf-8');
      return this.end(body);
    }
    if (body === undefined || Buffer.isBuffer(body)) {
      if (body && !this.getHeader('content-type')) this.type('application/octet-stream');
      return this.end(body);
    }
    return this.json(body);
  }

  json(value) {
    if (!this.getHeader('content-type')) this.type('application/json; charset=utf-8');
    return this.end(JSON.stringify(value));
  }

  sendStatus(code) {
    const { STATUS_CODES } = require('node:http');
    return this.status(code).type('text/plain; charset=utf-8').end(STATUS_CODES[code] ?? String(code));
  }

  redirect(status, url) {
    const [code, to] = url === undefined ? [302, status] : [status, url];
    return this.status(code).set('Location', to).end();
  }
}

/** What stands for a thing of the native side. */
function handle(kind, id, { props, answer }) {
  return kind === 'ServerResponse' ? new NativeResponse(id, answer) : readable(kind, id, props);
}

module.exports = { NativeHandle, handle };
