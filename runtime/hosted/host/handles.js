'use strict';
// Things of the native side: what nodes here can do with them. They are handed on as they are, and are the same when they come back.

class NativeHandle {
  constructor(kind, id) {
    Object.defineProperty(this, 'kind', { value: kind });
    Object.defineProperty(this, 'id', { value: id });
  }
}

/** What can be read of a handle is found under this symbol. */
const THING = Symbol('thing');

/** A handle that reads as another thing does, which is made when something of it is first read. */
function readable(kind, id, make) {
  let thing;
  return new Proxy(new NativeHandle(kind, id), {
    get(handle, key) {
      if (key === THING) return (thing ??= make());
      if (key in handle || typeof key === 'symbol') return handle[key];
      thing ??= make();
      const value = thing[key];
      return typeof value === 'function' ? value.bind(thing) : value;
    },
  });
}

/** Express's functions that Node-RED offers in `msg.res` itself, with a warning. */
const OFFERED = [
  ...['append', 'attachment', 'cookie', 'clearCookie', 'download', 'end', 'format', 'get', 'json', 'jsonp', 'links', 'location'],
  ...['redirect', 'render', 'send', 'sendfile', 'sendFile', 'sendStatus', 'set', 'status', 'type', 'vary'],
];

/** The response to a request that the native side has got, as **http in** nodes hand it on: `_res` is Express's. */
class NativeResponse extends NativeHandle {
  #native;

  constructor(id, native) {
    super('ServerResponse', id);
    this.#native = native;
    let response;
    Object.defineProperty(this, '_res', { enumerable: true, get: () => (response ??= native.response(this)) });
  }

  /** Does what is offered here in Express's response. */
  do(name, args) {
    this.#native.deprecated(this, `msg.res.${name}`);
    const result = this._res[name](...args);
    return result === this._res ? this : result;
  }
}

for (const name of OFFERED) {
  NativeResponse.prototype[name] = function (...args) {
    return this.do(name, args);
  };
}

/** What stands for a thing of the native side. */
function handle(kind, id, native) {
  switch (kind) {
    case 'ServerResponse':
      return new NativeResponse(id, native);
    case 'IncomingMessage':
      return readable(kind, id, () => native.request(id));
    default:
      return readable(kind, id, () => native.props(id) ?? {});
  }
}

module.exports = { NativeHandle, THING, handle };
