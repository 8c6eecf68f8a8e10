// Numbers that are sent to the door of a flow at a steady pace, and whether each that was taken came out once.
import net from 'node:net';
import { connect, sleep } from '../lines.mjs';
import { now, until } from './host.mjs';

export class Load {
  /** `book`: the host that has the file in which numbers are written down. */
  constructor(book, port, rate) {
    Object.assign(this, { book, port, rate, next: 0, taken: new Set(), breaks: 0 });
    this.running = this.run();
  }

  async run() {
    let due = now();
    for (; !this.over; due = Math.max(due + 10, now() - 200)) {
      await sleep(Math.max(0, due - now()));
      if (!this.socket) {
        // (what was sent and not said to be taken is nobody's: the sender goes on with new numbers)
        this.socket = await this.connected();
        continue;
      }
      let text = '';
      for (let count = 0; count < this.rate / 100; count++) text += `${this.next++}\n`;
      this.socket.write(text);
    }
  }

  connected() {
    return new Promise((resolve) => {
      const socket = net.connect(this.port, this.book.address, () => resolve(socket));
      let rest = '';
      socket.setNoDelay(true).setEncoding('utf8');
      socket.on('data', (text) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop();
        for (const line of lines) this.taken.add(Number(line));
      });
      socket.on('error', () => {}).on('close', () => {
        if (this.socket === socket) { this.socket = null; this.breaks++; }
        resolve(null);
      });
    });
  }

  /** The numbers that were written down: each with when and by which version. */
  written() {
    return this.book.lines('numbers', 'book.txt').map((line) => {
      const [number, at, by] = line.split(' ').map(Number);
      return { number, at, by };
    });
  }

  /** Sends no more, and waits until all that was taken is written down, or nothing comes any more. */
  async end(patience = 20_000) {
    this.over = true;
    await this.running;
    await sleep(200);
    const missing = () => {
      const there = new Set(this.written().map((it) => it.number));
      return [...this.taken].filter((number) => !there.has(number));
    };
    await until('all numbers', () => !missing().length, patience, 50).catch(() => {});
    this.socket?.destroy();
    const written = this.written();
    const counts = new Map();
    for (const { number } of written) counts.set(number, (counts.get(number) ?? 0) + 1);
    const twice = [...counts].filter(([, count]) => count > 1).map(([number]) => number);
    return { sent: this.next, taken: this.taken.size, lost: missing(), twice, written, breaks: this.breaks };
  }
}

/** Clients that connect again and again, and how often nobody listened. */
export class Clients {
  constructor(host, port) {
    Object.assign(this, { host, port, refused: 0, served: 0 });
    this.running = this.run();
  }

  async run() {
    for (; !this.over; await sleep(5)) {
      try {
        (await connect(this.port, this.host.address)).destroy();
        this.served++;
      } catch {
        this.refused++;
      }
    }
  }

  async end() {
    this.over = true;
    await this.running;
    return this;
  }
}

/** What a host that dies may have worked on, and handed on, without having said so to who sent it: as long before as this, in milliseconds. */
const ON_ITS_WAY = 500;

/**
 * What is promised of numbers. Where the host of the worker was lost at some time, what was on its way just then may have been worked on
 * twice: by the host before it was lost, and by the next one, since the first could not say any more that it had.
 */
export function kept(report, what, result, lost) {
  const some = (list) => (list.length ? ` (${list.slice(0, 5).join(', ')}${list.length > 5 ? ', …' : ''})` : '');
  report.promise(`${what}: numbers flowed`, result.taken > 0, `${result.taken} taken of ${result.sent} sent`);
  report.promise(`${what}: none lost`, !result.lost.length, `${result.lost.length} of ${result.taken} taken${some(result.lost)}`);
  if (lost === undefined) {
    report.promise(`${what}: none twice`, !result.twice.length, `${result.twice.length}${some(result.twice)}`);
    return;
  }
  const first = (number) => result.written.find((it) => it.number === number).at;
  const late = result.twice.filter((number) => Math.abs(first(number) - lost) > ON_ITS_WAY);
  report.figure('numbers that were on their way just then, and were worked on twice', result.twice.length, '');
  report.promise(`${what}: none twice but what was on its way`, !late.length, `${late.length}${some(late)}`);
}
