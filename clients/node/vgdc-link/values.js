"use strict";
// Values as links carry them. What CBOR has, cbor-x knows; what stands under tag 27 is read and written here, since cbor-x would
// call whatever global function a peer names.

const { Decoder, Encoder, addExtension } = require("cbor-x");

/** An object inside itself, as the path to it from the outermost value. */
class Circular {
  constructor(path) {
    this.path = path;
  }
}

function read(parts) {
  const [type, ...rest] = Array.isArray(parts) ? parts : [];
  if (type === "RegExp") return new RegExp(String(rest[0]), String(rest[1]));
  if (type === "Date") return new Date(rest[0]);
  if (type === "vgdc.Circular") return new Circular(rest[0]);
  if (type === "Error") {
    const [name, message, stack, properties] = rest;
    const error = new Error(message);
    Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
    Object.defineProperty(error, "stack", { value: stack, configurable: true, writable: true });
    return Object.assign(error, properties);
  }
  if (typeof type === "string" && type.endsWith("Error")) {
    const error = new Error(String(rest[0]));
    error.name = type;
    return error;
  }
  throw new Error(`'${type}' is no type that links carry`);
}

const error = (e) => ["Error", String(e.name), String(e.message), String(e.stack), { ...e }];
for (const Class of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
  addExtension({ Class, tag: 27, encode: (e, encode) => encode(error(e)), decode: read });
}
addExtension({
  Class: Circular,
  tag: 27,
  encode: (circular, encode) => encode(["vgdc.Circular", circular.path]),
  decode: read,
});
addExtension({ Class: RegExp, tag: 27, encode: (r, encode) => encode(["RegExp", r.source, r.flags]), decode: read });

const options = { useRecords: false, mapsAsObjects: true, variableMapSize: true, int64AsNumber: true, tagUint8Array: false };
const encoder = new Encoder(options);
const decoder = new Decoder(options);

module.exports = {
  Circular,
  encode: (value) => encoder.encode(value),
  decode: (bytes) => decoder.decode(bytes),
};
