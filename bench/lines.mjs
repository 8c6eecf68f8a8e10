// What benches of running flows share: lines to a flow by TCP and back.
import { readFileSync, readdirSync } from 'node:fs';
import net from 'node:net';

export const freePort = () => new Promise((resolve) => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

export const connect = (port, host = '127.0.0.1') => new Promise((resolve, reject) => {
  const socket = net.connect(port, host, () => resolve(socket)).once('error', reject);
  socket.setNoDelay(true);
});
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function untilItAnswers(port, child) {
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) throw new Error('it ended');
    try {
      const socket = await connect(port);
      const answered = new Promise((resolve) => socket.once('data', resolve));
      socket.write('1\n');
      if (await Promise.race([answered, sleep(500)])) return socket.destroy();
      socket.destroy();
    } catch {
      await sleep(20);
    }
  }
  throw new Error('it does not answer');
}

/** Lines a second with so many on their way. */
export async function speed(port, window, seconds, host) {
  const socket = await connect(port, host);
  let [sent, back] = [0, 0];
  const more = () => {
    let text = '';
    for (; sent - back < window; sent++) text += `${sent % 1000}\n`;
    if (text) socket.write(text);
  };
  let counting = 0;
  socket.on('data', (bytes) => {
    for (const byte of bytes) if (byte === 10) { back++; counting++; }
    more();
  });
  more();
  await sleep(500);
  counting = 0;
  const begin = performance.now();
  await sleep(seconds * 1000);
  const rate = (counting / (performance.now() - begin)) * 1000;
  socket.destroy();
  return Math.round(rate);
}

/** Microseconds of one line at a time: the median and the 99th percentile. */
export async function latency(port, count, host) {
  const socket = await connect(port, host);
  const times = [];
  for (let at = 0; at < count; at++) {
    const begin = performance.now();
    const answered = new Promise((resolve) => socket.once('data', resolve));
    socket.write('1\n');
    await answered;
    if (at > count / 10) times.push((performance.now() - begin) * 1000);
  }
  socket.destroy();
  times.sort((a, b) => a - b);
  return [times[times.length >> 1], times[Math.floor(times.length * 0.99)]].map(Math.round);
}

/** Megabytes of a process and all below it. */
export function memory(pid) {
  const rows = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      return { pid: Number(name), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]), kb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) };
    } catch {
      return { pid: 0, parent: 0, kb: 0 };
    }
  });
  const own = rows.find((row) => row.pid === pid)?.kb ?? 0;
  const below = rows.filter((row) => row.parent === pid).reduce((sum, row) => sum + row.kb, 0);
  return [own, below].map((kb) => Math.round(kb / 102.4) / 10);
}
