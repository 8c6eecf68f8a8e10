// What a cut costs: a flow as one program, and as two with links between them, there and back.
//
//   node bench/mesh.mjs --vgdc target/release/vgdc [--seconds 3]
//
// Lines come by TCP to the program `one`, go through a function there, over a link through a function in the program `two`, over a link
// back, through another function, and back to the peer. Both run on this machine. At full speed with 64 and with 2,000 lines on their way;
// then one at a time.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { freePort, latency, memory, speed, untilItAnswers } from './lines.mjs';

const { values: args } = parseArgs({ options: { vgdc: { type: 'string' }, seconds: { type: 'string', default: '3' } } });
const vgdc = path.resolve(args.vgdc);
const folder = mkdtempSync(path.join(tmpdir(), 'vgdc-bench-'));

function flow(port) {
  const at = (node) => ({ z: 't', x: 1, y: 1, ...node });
  const code = (id, func, to) => at({ id, type: 'function', func, outputs: 1, wires: [[to]] });
  return [
    { id: 't', type: 'tab', label: 'T' },
    at({ id: 'in', type: 'tcp in', server: 'server', host: '', port: String(port), datamode: 'stream', datatype: 'utf8', newline: '\\n', topic: '', trim: false, base64: false, tls: '', wires: [['before']] }),
    code('before', 'msg.n = Number(msg.payload) + 1; return msg;', 'there'),
    code('there', 'msg.count = (msg.count || 0) + 1; return msg;', 'after'),
    code('after', 'msg.payload = (msg.n + msg.count) + "\\n"; return msg;', 'out'),
    at({ id: 'out', type: 'tcp out', beserver: 'reply', host: '', port: '', base64: false, end: false, tls: '', wires: [] }),
  ];
}

/** Builds it, as one program or as two. Gives the programs' files. */
async function built(name, delivery) {
  const port = await freePort();
  const [file, out] = ['json', 'out'].map((ending) => path.join(folder, `${name}.${ending}`));
  writeFileSync(file, JSON.stringify(flow(port)));
  if (!delivery) {
    execFileSync(vgdc, ['build', file, '-o', out], { stdio: 'ignore' });
    return [port, [out]];
  }
  const mesh = path.join(folder, `${name}.toml`);
  const [one, two] = [await freePort(), await freePort()];
  writeFileSync(
    mesh,
    `[nodes.one]
address = "127.0.0.1:${one}"
[nodes.two]
address = "127.0.0.1:${two}"
[[place]]
nodes = ["in", "before", "after", "out"]
on = "one"
[[place]]
nodes = "there"
on = "two"
[[link]]
delivery = "${delivery}"
`,
  );
  execFileSync(vgdc, ['build', file, '--mesh', mesh, '-o', out], { stdio: 'ignore' });
  return [port, ['one', 'two'].map((part) => path.join(out, part))];
}

async function measured(name, delivery) {
  const [port, programs] = await built(name.replace(/\W/g, '-'), delivery);
  const children = programs.map((program) => spawn(program, ['--port', '0', '--data', `${program}.data`], { stdio: 'ignore' }));
  try {
    await untilItAnswers(port, children[0]);
    const idle = children.map((child) => memory(child.pid)[0]);
    const one = await latency(port, 3000);
    const rates = [await speed(port, 64, Number(args.seconds)), await speed(port, 2000, Number(args.seconds))];
    console.log([name.padEnd(28), ...rates.map((rate) => `${rate}/s`.padStart(11)), `${one[0]} / ${one[1]} us`.padStart(18), `${idle.join(' + ')} MB`.padStart(17)].join(' '));
  } finally {
    for (const child of children) {
      child.kill();
      await new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve()));
    }
  }
}

console.log(['', '64 away', '2,000 away', 'one: p50 / p99', 'idle'].map((text, at) => text.padStart([28, 11, 11, 18, 17][at])).join(' '));
try {
  await measured('one program');
  await measured('two, fast', 'fast');
  await measured('two, durable', 'durable');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
