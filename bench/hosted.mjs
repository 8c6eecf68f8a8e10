// What a node of a package costs: native → host → native, and the same flow in Node-RED alone.
//
//   node bench/hosted.mjs --vgdc target/release/vgdc --node-red DIR [--seconds 3]
//
// DIR has `node_modules/node-red` (and `node_modules/node`, if Node.js itself is too old). Lines come by TCP, go through a function, a
// node of a package that passes them on, and another function, and go back; then, in programs, with a change node between two nodes
// of a package, which runs here (`--observable`) or with them. At full speed with 64 and with 2,000 lines on their way;
// then one at a time. The host's start and memory are those of processes as the system sees them.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { freePort, latency, memory, speed, untilItAnswers } from './lines.mjs';

const { values: args } = parseArgs({ options: { vgdc: { type: 'string' }, 'node-red': { type: 'string' }, seconds: { type: 'string', default: '3' } } });
const modules = path.resolve(args['node-red'], 'node_modules');
const own = path.join(modules, 'node/bin/node');
const node = existsSync(own) ? own : process.execPath;
const env = { ...process.env, NODE_PATH: modules, PATH: `${path.dirname(node)}:${process.env.PATH}` };

const folder = mkdtempSync(path.join(tmpdir(), 'vgdc-bench-'));
mkdirSync(path.join(folder, 'nodes'));
writeFileSync(path.join(folder, 'package.json'), '{}');
writeFileSync(
  path.join(folder, 'nodes/pass-on.js'),
  `module.exports = (RED) => RED.nodes.registerType('pass-on', function (config) {
    RED.nodes.createNode(this, config);
    this.on('input', (msg, send, done) => { msg.count = (msg.count ?? 0) + 1; send(msg); done(); });
  });`,
);
writeFileSync(path.join(folder, 'nodes/pass-on.html'), `<script>RED.nodes.registerType('pass-on', { category: 'function', defaults: {}, inputs: 1, outputs: 1 })</script>`);

function flow(port, ty) {
  const at = (node) => ({ z: 't', x: 1, y: 1, ...node });
  return [
    { id: 't', type: 'tab', label: 'T' },
    at({ id: 'in', type: 'tcp in', server: 'server', host: '', port: String(port), datamode: 'stream', datatype: 'utf8', newline: '\\n', topic: '', trim: false, base64: false, tls: '', wires: [['before']] }),
    at({ id: 'before', type: 'function', func: 'msg.n = Number(msg.payload) + 1; return msg;', outputs: 1, wires: [['p']] }),
    ...(ty === 'between'
      ? [
          at({ id: 'p', type: 'pass-on', wires: [['m']] }),
          at({ id: 'm', type: 'change', rules: [{ t: 'set', p: 'k', pt: 'msg', to: '1', tot: 'num' }], wires: [['q']] }),
          at({ id: 'q', type: 'pass-on', wires: [['after']] }),
        ]
      : []),
    at(ty === 'between' ? { id: 'unused', type: 'comment' } : ty === 'pass-on' ? { id: 'p', type: 'pass-on', wires: [['after']] } : { id: 'p', type: 'function', func: 'msg.count = (msg.count ?? 0) + 1; return msg;', outputs: 1, wires: [['after']] }),
    at({ id: 'after', type: 'function', func: 'msg.payload = (msg.n + msg.count) + "\\n"; return msg;', outputs: 1, wires: [['out']] }),
    at({ id: 'out', type: 'tcp out', beserver: 'reply', host: '', port: '', base64: false, end: false, tls: '', wires: [] }),
  ];
}

async function measured(name, ty, command) {
  const port = await freePort();
  const file = path.join(folder, `${name.replace(/\W/g, '-')}.json`);
  writeFileSync(file, JSON.stringify(flow(port, ty)));
  const begin = performance.now();
  const [program, ...rest] = command(file, await freePort());
  const child = spawn(program, rest, { env, stdio: 'ignore' });
  try {
    await untilItAnswers(port, child);
    const start = Math.round(performance.now() - begin);
    const idle = memory(child.pid);
    const one = await latency(port, 3000);
    const rates = [await speed(port, 64, Number(args.seconds)), await speed(port, 2000, Number(args.seconds))];
    console.log([name.padEnd(28), ...rates.map((rate) => `${rate}/s`.padStart(11)), `${one[0]} / ${one[1]} us`.padStart(18), `${start} ms`.padStart(9), `${idle[0]} + ${idle[1]} MB`.padStart(17)].join(' '));
  } finally {
    child.kill();
    await new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve()));
  }
}

console.log(['', '64 away', '2,000 away', 'one: p50 / p99', 'start', 'idle + child'].map((text, at) => text.padStart([28, 11, 11, 18, 9, 17][at])).join(' '));
const vgdc = (file, port) => [path.resolve(args.vgdc), 'run', file, '--port', String(port), '--user-dir', folder];
const program = (...more) => (file, port) => {
  const app = file.replace(/json$/, 'app');
  execFileSync(path.resolve(args.vgdc), ['build', file, '-o', app, '--user-dir', folder, ...more], { env, stdio: 'ignore' });
  return [app, '--port', String(port)];
};
const nodeRed = (file, port) => [node, path.join(modules, 'node-red/red.js'), '-u', folder, '-p', String(port), file];
try {
  await measured('vgdc, all native', 'function', vgdc);
  await measured('vgdc, one node hosted', 'pass-on', vgdc);
  await measured('Node-RED', 'pass-on', nodeRed);
  await measured('program, between: here', 'between', program('--observable'));
  await measured('program, between: there', 'between', program());
  await measured('Node-RED, between', 'between', nodeRed);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
