'use strict';
// Requests that the native side has got, and responses that nodes here answer them with: Express's own. A response is written like
// one whose turn on its connection has not come yet. As soon as its head is there, the native side asks for it on the host's own
// server, and the response is given that request's connection.

const { randomUUID } = require('node:crypto');
const http = require('node:http');

/** The name of the header by which the native side asks for a response. */
const HEADER = 'vgdc-answer';
/** How long a response waits to be asked for, in milliseconds: somebody else has answered the request already. */
const PATIENCE = 30_000;
/** What Express finds out itself, of a request that has its response. */
const OF_THE_RESPONSE = ['fresh', 'stale'];
const ERROR = Symbol('error');

class Responses {
  /**
   * @param {import('express').Application} app
   * @param {import('express').Application} nobody has no routes
   * @param {string} socket where the host's server listens
   * @param {object} native `props(id)` gives what is known of a thing there, `answer(handle, what)` tells of an answer
   */
  constructor(app, nobody, socket, native) {
    this.app = app;
    // (what it is given is left to Express's own last words)
    this.last = nobody.use((req, _res, next) => next(req[ERROR]));
    this.socket = socket;
    this.native = native;
    this.open = new Map();
  }

  /** A request that has been read, of what the native side knows of it. */
  request(props) {
    const req = new http.IncomingMessage(null);
    Object.setPrototypeOf(req, this.app.request);
    for (const [name, value] of Object.entries(props ?? {})) {
      Object.defineProperty(req, name, { value, writable: true, configurable: true, enumerable: true });
    }
    req.complete = true;
    req.push(null);
    return req;
  }

  /** The response that a handle stands for, to this request. */
  response(handle, req, headers) {
    const res = new http.ServerResponse(req);
    Object.setPrototypeOf(res, this.app.response);
    res.locals = Object.create(null);
    res.req = req;
    req.res = res;
    for (const name of OF_THE_RESPONSE) delete req[name];
    req.next = (error) => {
      req[ERROR] = error;
      this.last(req, res);
    };
    // The connection is this response's alone.
    res.shouldKeepAlive = false;
    for (const [name, value] of headers ?? []) res.append(name, value);
    const { writeHead } = res;
    res.writeHead = (...args) => {
      const result = writeHead.apply(res, args);
      this.#offer(handle, res);
      return result;
    };
    return res;
  }

  #offer(handle, res) {
    const token = randomUUID();
    this.open.set(token, res);
    const late = () => this.open.delete(token) && res.destroy();
    setTimeout(late, PATIENCE).unref();
    this.native.answer(handle, { socket: this.socket, token });
  }

  /** Gives the connection of a request for a response to that response. False: it is another request. */
  take({ headers }, instead) {
    const token = headers[HEADER];
    const res = token && this.open.get(token);
    if (!res) return false;
    this.open.delete(token);
    const { socket } = instead;
    instead.detachSocket(socket);
    res.once('finish', () => socket.end());
    res.assignSocket(socket);
    return true;
  }
}

module.exports = { Responses };
