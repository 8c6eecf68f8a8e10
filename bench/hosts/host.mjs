// One host: its agent as a process in its network, and its door.
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { sleep } from '../lines.mjs';

export const now = () => performance.now();

/** Tries every few milliseconds until there is something; throws what was waited for, when it does not come. */
export async function until(what, is, patience = 30_000, every = 10) {
  for (const end = now() + patience; now() < end; await sleep(every)) {
    const found = await is();
    if (found) return found;
  }
  throw new Error(`in ${patience / 1000} s there was not: ${what}`);
}

/** A connection to an agent's door, for the questions of people: one at a time. */
class Door {
  constructor(file) {
    this.file = file;
    this.waiting = [];
  }

  async connect() {
    this.socket = net.connect(path.join(this.file, 'agent.sock'));
    let rest = '';
    this.socket.setEncoding('utf8');
    this.socket.on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        const told = JSON.parse(line);
        if (!('note' in told)) this.waiting.shift()?.resolve(told);
      }
    });
    const lost = (error) => {
      this.lost = true;
      for (const waiting of this.waiting.splice(0)) waiting.reject(error ?? new Error('the agent hung up'));
    };
    this.socket.on('error', lost).on('close', () => lost());
    await this.send({ vgdc: 1, admin: {} });
    return this;
  }

  send(line) {
    return new Promise((resolve, reject) => {
      if (this.lost) return reject(new Error('the agent hung up'));
      this.waiting.push({ resolve, reject });
      this.socket.write(`${JSON.stringify(line)}\n`);
    });
  }

  close() {
    this.socket?.destroy();
  }
}

export class Host {
  constructor(name, address, data, bin) {
    Object.assign(this, { name, address, data, bin, sockets: path.join(data, 'run'), log: `${data}.log`, doors: [] });
    mkdirSync(data, { recursive: true });
  }

  /** Starts the agent. Resolves when it says that it is in its mesh, to how long that took. */
  async start(args = [], { env = {}, patience = 30_000 } = {}) {
    const begin = now();
    const all = ['--data', this.data, '--sockets', this.sockets, '--name', this.name, '--listen', `tcp://${this.address}:7400`, ...args];
    appendFileSync(this.log, `--- ${Date.now()} start ${all.join(' ').slice(0, 200)}\n`);
    const child = spawn('nsenter', [`--net=/run/netns/${this.name}`, path.join(this.bin, 'vgdc-agent'), ...all], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.agent = child;
    this.exited = new Promise((resolve) => child.once('exit', resolve));
    this.ended = new Promise((resolve) => child.once('close', (code, signal) => {
      appendFileSync(this.log, `--- ${Date.now()} ended: ${code ?? signal}\n`);
      resolve();
    }));
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => appendFileSync(this.log, text));
    await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`the agent of ${this.name} is not in its mesh after ${patience / 1000} s`)), patience);
      const ended = (code, signal) => done(() => reject(new Error(`the agent of ${this.name} ended (${code ?? signal}): ${this.lastWords()}`)));
      const done = (act) => { clearTimeout(late); child.off('exit', ended); act(); };
      child.stdout.on('data', (text) => /^node .* of mesh/m.test(text) && done(resolve));
      child.once('exit', ended);
    });
    return now() - begin;
  }

  lastWords(lines = 3) {
    return readFileSync(this.log, 'utf8').trim().split('\n').slice(-lines).join(' | ');
  }

  /** Asks the agent; throws what it refuses. */
  async ask(question, patience = 30_000) {
    let door = this.doors.pop();
    if (!door || door.lost) door = await new Door(this.sockets).connect();
    let late;
    const told = await Promise.race([
      door.send(question),
      new Promise((_, reject) => { late = setTimeout(() => { door.close(); reject(new Error(`${this.name} does not answer`)); }, patience); }),
    ]).finally(() => clearTimeout(late));
    this.doors.push(door);
    if ('error' in told) throw new Error(told.error);
    return told.done;
  }

  /** How the mesh does, as this host's agent sees it; nothing where it does not answer. */
  async status() {
    try {
      return await this.ask({ op: 'status' }, 5_000);
    } catch {
      return null;
    }
  }

  /** When this host's agent first sees that the others stand so. Asked on several connections, since an answer may wait for a lost host. */
  async sees(states, patience = 30_000) {
    const is = (status) => status && Object.entries(states).every(([name, state]) => status.nodes.find((it) => it.name === name)?.state === state);
    return new Promise((resolve, reject) => {
      let over = false;
      const end = now() + patience;
      const look = async () => {
        if (over) return;
        if (now() > end) { over = true; return reject(new Error(`${this.name} does not see ${JSON.stringify(states)} in ${patience / 1000} s`)); }
        setTimeout(look, 10);
        if (is(await this.status()) && !over) { over = true; resolve(now()); }
      };
      look();
    });
  }

  /** The processes of this host: the agent and its programs. */
  pids() {
    return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid).filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').some((word) => word.startsWith(`${this.data}/`) || word === this.data);
      } catch {
        return false;
      }
    }).map(Number);
  }

  /** The agent alone dies. */
  killAgent() {
    this.agent.kill('SIGKILL');
    this.forget();
  }

  /** The agent is told to stop, and has. */
  async stopAgent() {
    this.agent.kill('SIGTERM');
    await this.exited;
    this.forget();
  }

  /** The power fails: the agent and all programs die. */
  killAll() {
    for (const pid of this.pids()) {
      try { process.kill(pid, 'SIGKILL'); } catch { /* it has ended */ }
    }
    this.forget();
  }

  forget() {
    for (const door of this.doors.splice(0)) door.close();
  }

  /** Gives the host a disk of its own, of so many megabytes, in memory. */
  mount(megabytes) {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'vgdc-disk', this.data]);
    this.mounted = true;
  }

  unmount() {
    if (this.mounted) execFileSync('umount', ['-l', this.data]);
    this.mounted = false;
  }

  /** What a part of a flow has written to a file in its folder: the lines that are complete. */
  lines(flow, file) {
    const folder = path.join(this.data, 'flows', flow);
    const parts = existsSync(folder) ? readdirSync(folder) : [];
    return parts.flatMap((part) => {
      const written = path.join(folder, part, file);
      return existsSync(written) ? readFileSync(written, 'utf8').split('\n').slice(0, -1) : [];
    });
  }
}
