// The flows that run over the hosts.
import { writeFileSync } from 'node:fs';
import path from 'node:path';

const node = (id, type, place, wires, more) => ({ id, type, z: 't', name: id, place, x: 1, y: 1, wires, ...more });
const tab = (label) => ({ id: 't', type: 'tab', label, disabled: false, info: '', env: [] });
const code = (id, place, func, ...wires) => node(id, 'function', place, wires, { func, outputs: wires.length, timeout: 0, noerr: 0, initialize: '', finalize: '', libs: [] });
const append = (id, place, file) => node(id, 'file', place, [[]], { filename: file, filenameType: 'str', appendNewline: true, createDir: false, overwriteFile: 'false', encoding: 'none' });
const listen = (id, place, port, to) => node(id, 'tcp in', place, [[to]], { server: 'server', host: '', port: String(port), datamode: 'stream', datatype: 'utf8', newline: '\\n', topic: '', trim: false, base64: false, tls: '' });
const reply = (id, place) => node(id, 'tcp out', place, [], { beserver: 'reply', host: '', port: '', base64: false, end: false, tls: '' });

export const PORT = 7000;

/**
 * Numbers come by TCP to a door, which says of each that it has taken it, and hands it to a worker; what the worker hands back is written to
 * a file at the door: the number, when, and which version worked on it.
 */
export const numbers = (version, door) => [
  tab('numbers'),
  listen('in', door, PORT, 'take'),
  code('take', door, 'return [{payload: Number(msg.payload)}, msg.payload === "?" ? null : {payload: msg.payload + "\\n", _session: msg._session}];', ['work'], ['ack']),
  reply('ack', door),
  code('work', 'label:worker', `msg.by = ${version};\nreturn msg;`, ['line']),
  code('line', door, 'msg.payload = `${msg.payload} ${Date.now()} ${msg.by}`;\nreturn msg;', ['book']),
  append('book', door, 'book.txt'),
];

/** Who runs writes the time every 20 ms: one that may be anywhere and is single, and one that is at home and is not. */
export const beats = (home) => [
  tab('beats'),
  ...[['single', 'label:worker'], ['steady', home]].flatMap(([name, place]) => [
    node(`${name}.tick`, 'inject', place, [[`${name}.now`]], { props: [{ p: 'payload' }], repeat: '0.02', crontab: '', once: true, onceDelay: '0.1', topic: '', payload: '', payloadType: 'date' }),
    code(`${name}.now`, place, 'msg.payload = Date.now();\nreturn msg;', [`${name}.book`]),
    append(`${name}.book`, place, `${name}.txt`),
  ]),
];

/** There and back: lines to a function on one host, to one on another, and back to who sent them. */
export const there = (one, other) => [
  tab('there'),
  listen('in', one, PORT, 'before'),
  code('before', one, 'msg.n = Number(msg.payload) + 1; return msg;', ['there']),
  code('there', other, 'msg.count = (msg.count || 0) + 1; return msg;', ['after']),
  code('after', one, 'msg.payload = (msg.n + msg.count) + "\\n"; return msg;', ['out']),
  reply('out', one),
];

/** Writes a flow and what is said of where it runs. Gives the arguments that `vgdc deploy` wants. */
export function written(lab, name, flow, { delivery, single, hosts = lab.hosts } = {}) {
  const [file, mesh] = ['json', 'toml'].map((ending) => path.join(lab.folder, `${name}.${ending}`));
  writeFileSync(file, JSON.stringify(flow));
  const nodes = hosts.map((host) => `[nodes.${host.name}]\nargs = ["--port", "0"]\n`);
  const rules = [
    delivery ? `[[link]]\ndelivery = "${delivery}"\n` : '',
    single ? `[[single]]\nnodes = ${JSON.stringify(single)}\n` : '',
  ];
  writeFileSync(mesh, [...nodes, ...rules].join('\n'));
  return [file, '--mesh', mesh];
}
