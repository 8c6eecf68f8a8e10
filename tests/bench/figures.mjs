#!/usr/bin/env node
// The figures of the performance page for the cases that exist: chain, fan-out, tcp, http, start, memory; the interpreter
// (`vgdc run --target interp`) against the artifact, in one run. Ratios count, not the numbers of one machine.
//
//   node tests/bench/figures.mjs [--vgdc target/release/vgdc] [--seconds 3]
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const option = (name, fallback) => {
    const at = process.argv.indexOf(`--${name}`);
    return at > 0 ? process.argv[at + 1] : fallback;
};
const vgdc = path.resolve(option('vgdc', 'target/release/vgdc'));
const seconds = Number(option('seconds', '3'));
const folder = mkdtempSync(path.join(os.tmpdir(), 'vgdc-figures-'));
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

const tab = { id: 't', type: 'tab', label: 'T' };
const node = (id, type, wires, more) => ({ id, type, z: 't', x: 1, y: 1, wires: [wires].flat().length || !wires.length ? [wires] : wires, ...more });
const fn = (id, func, wires, more = {}) => node(id, 'function', wires, { func, outputs: 1, initialize: '', finalize: '', libs: [], ...more });
const change = (id, rules, wires) => node(id, 'change', wires, { rules });

function chain() {
    const nodes = [tab, fn('source', 'for (let i = 0; i < 1000; i++) node.send({ payload: i, topic: "t" });', ['n0'])];
    for (let i = 0; i < 10; i++) {
        const to = i < 9 ? [`n${i + 1}`] : ['count'];
        nodes.push(i % 2 ? change(`n${i}`, [{ t: 'set', p: `p${i}`, pt: 'msg', to: 'payload', tot: 'msg' }], to)
            : fn(`n${i}`, 'msg.payload = msg.payload + 1; return msg;', to));
    }
    nodes.push(fn('count', 'const n = (context.get("n") || 0) + 1; context.set("n", n % 1000); if (n === 1000) return msg;', ['source']));
    return { nodes, start: 'source', counted: 'count' };
}
function fan() {
    const payload = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`key${i}`, { a: i, b: `text of some length ${i}`, c: [i, i + 1] }]));
    const nodes = [tab, fn('source', `const payload = ${JSON.stringify(payload)}; for (let i = 0; i < 100; i++) node.send({ payload });`, ['fan'])];
    const targets = Array.from({ length: 10 }, (_, i) => `c${i}`);
    nodes.push(fn('fan', 'return msg;', targets));
    targets.forEach((id, i) => nodes.push(change(id, [{ t: 'set', p: 'payload.key0.a', pt: 'msg', to: String(i), tot: 'num' }], i === 9 ? ['count'] : [])));
    nodes.push(fn('count', 'const n = (context.get("n") || 0) + 1; context.set("n", n % 100); if (n === 100) return msg;', ['source']));
    return { nodes, start: 'source', counted: 'fan' };
}
const tcp = JSON.parse(readFileSync(new URL('../../examples/tcp-pipeline/flows.json', import.meta.url)));
const httpFlow = [tab, node('in', 'http in', ['f'], { url: '/x', method: 'get' }),
    fn('f', 'msg.payload = { n: Number(msg.req.query.n) + 1, ok: true }; return msg;', ['out']), node('out', 'http response', [])];

function artifact(name, flow) {
    const file = path.join(folder, `${name}.json`);
    const app = path.join(folder, name);
    writeFileSync(file, JSON.stringify(flow));
    const built = spawnSync(vgdc, ['build', file, '-o', app], { encoding: 'utf8' });
    if (built.status !== 0) throw new Error(built.stderr);
    return { file, app };
}
function start(target, made, args, env = {}) {
    const [command, before] = target === 'artifact' ? [made.app, []] : [vgdc, ['run', made.file, '--target', 'interp']];
    return spawn(command, [...before, ...args], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
}
function control(child) {
    const waiting = new Map();
    let text = '', next = 0;
    child.stdout.on('data', chunk => {
        text += chunk;
        let at;
        while ((at = text.indexOf('\n')) >= 0) {
            const line = JSON.parse(text.slice(0, at));
            text = text.slice(at + 1);
            if (waiting.has(line.id)) waiting.get(line.id)(line.result);
        }
    });
    return (op, fields = {}) => new Promise(resolve => {
        waiting.set(++next, resolve);
        child.stdin.write(JSON.stringify({ id: next, op, ...fields }) + '\n');
    });
}
const memory = child => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024;
const cpu = child => {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;           // ms (100 ticks a second)
};
const until = (child, part) => new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', chunk => { text += chunk; if (text.includes(part)) resolve(text); });
    child.on('exit', () => reject(new Error(`ended: ${text}`)));
});

async function rate(target, name, { nodes, start: first, counted }) {
    const child = start(target, artifact(name, nodes), ['--control', 'stdio']);
    const ask = control(child);
    const count = async () => (await ask('metrics')).nodes[counted].in;
    await ask('info');
    const idle = memory(child);
    await ask('receive', { node: first, msg: {} });
    await sleep(500);
    const [from, begin] = [await count(), performance.now()];
    await sleep(seconds * 1000);
    const found = (await count() - from) / (performance.now() - begin) * 1000;
    const load = memory(child);
    child.kill('SIGKILL');
    return { rate: found, idle, load };
}
async function lines(target) {
    const port = await new Promise(resolve => { const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => resolve(port)); }); });
    const child = start(target, artifact('tcp', tcp), ['--port', '0'], { TCP_PORT: String(port) });
    await until(child, 'listening on port');
    const total = 200000;
    const line = i => `{"kind":"${['temperature', 'humidity', 'other'][i % 3]}","value":${i % 50},"seq":${i}}\n`;
    const socket = net.connect(port, '127.0.0.1');
    await new Promise(resolve => socket.on('connect', resolve));
    const [begin, before] = [performance.now(), cpu(child)];
    let got = 0, rest = '', wrong = 0;
    const all = new Promise(resolve => socket.on('data', chunk => {
        const parts = (rest + chunk).split('\n');
        rest = parts.pop();
        for (const part of parts) { if (JSON.parse(part).seq !== got + 1) wrong++; got++; }
        if (got >= total) resolve();
    }));
    for (let i = 0; i < total; i += 1000) {
        const batch = Array.from({ length: 1000 }, (_, j) => line(i + j)).join('');
        if (!socket.write(batch)) await new Promise(resolve => socket.once('drain', resolve));
    }
    await all;
    const result = { rate: total / (performance.now() - begin) * 1000, cpu: (cpu(child) - before) * 1000 / total, wrong };
    socket.destroy();
    child.kill('SIGKILL');
    return result;
}
async function requests(target) {
    const child = start(target, artifact('http', httpFlow), ['--port', '0']);
    const address = /Listening on (\S+)/.exec(await until(child, 'Started flows'))[1];
    const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
    const times = [];
    const end = performance.now() + seconds * 1000;
    const one = () => new Promise((resolve, reject) => {
        const begin = performance.now();
        http.get(`${address}/x?n=${times.length}`, { agent }, answer => answer.resume().on('end', () => { times.push(performance.now() - begin); resolve(); })).on('error', reject);
    });
    await Promise.all(Array.from({ length: 32 }, async () => { while (performance.now() < end) await one(); }));
    agent.destroy();
    child.kill('SIGKILL');
    times.sort((a, b) => a - b);
    return { rate: times.length / seconds, p99: times[Math.floor(times.length * 0.99)] };
}
async function startUp(target) {
    const flow = [tab, { ...node('i', 'inject', ['f']), once: true, onceDelay: 0.001, props: [], repeat: '', crontab: '' }, fn('f', 'node.warn("first");', [])];
    const made = artifact('start', flow);
    const times = [];
    for (let i = 0; i < 9; i++) {
        const begin = performance.now();
        const child = start(target, made, []);
        await until(child, 'first');
        times.push(performance.now() - begin);
        child.removeAllListeners('exit');
        child.kill('SIGKILL');
    }
    return times.sort((a, b) => a - b)[4];
}

const show = (name, unit, interp, native, digits = 0) => {
    const text = n => n.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
    console.log(`${name.padEnd(34)} ${text(interp).padStart(12)} ${text(native).padStart(12)} ${unit.padEnd(12)} ${(native / interp).toFixed(2)}x`);
};
console.log(`${''.padEnd(34)} ${'interp'.padStart(12)} ${'artifact'.padStart(12)}`);
const [ci, ca] = [await rate('interp', 'chain', chain()), await rate('artifact', 'chain', chain())];
show('chain of 10, messages through it', '/s', ci.rate, ca.rate);
const [fi, fa] = [await rate('interp', 'fan', fan()), await rate('artifact', 'fan', fan())];
show('fan-out of 1 KB to ten', '/s', fi.rate, fa.rate);
const [ti, ta] = [await lines('interp'), await lines('artifact')];
show('tcp pipeline, lines', '/s', ti.rate, ta.rate);
show('tcp pipeline, CPU a line', 'us', ti.cpu, ta.cpu, 1);
const [hi, ha] = [await requests('interp'), await requests('artifact')];
show('http, 32 connections', '/s', hi.rate, ha.rate);
show('http, p99 (with the client)', 'ms', hi.p99, ha.p99, 2);
show('start to first message', 'ms', await startUp('interp'), await startUp('artifact'), 1);
show('memory idle', 'MB', ci.idle, ca.idle, 1);
show('memory under load (chain)', 'MB', ci.load, ca.load, 1);
if (ti.wrong || ta.wrong) { console.error(`wrong answers: ${ti.wrong}, ${ta.wrong}`); process.exitCode = 1; }
rmSync(folder, { recursive: true, force: true });
process.exit();
