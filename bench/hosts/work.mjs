// Flows go on while hosts are lost, agents are replaced, and versions change: no number is lost, none is worked on twice.
import { sleep } from '../lines.mjs';
import { now, until } from './host.mjs';
import { PORT, numbers } from './flows.mjs';
import { Clients, Load, kept } from './load.mjs';
import { allSee, deploy, mesh, owner, parts } from './mesh.mjs';

const RATE = 400;

/** Numbers go to the door on `a`, over a durable link to a worker elsewhere, and back. */
async function begun(lab) {
  await mesh(lab);
  const door = lab.host('a');
  await deploy(lab, door, 'numbers', numbers(1, door.name), { delivery: 'durable' });
  const load = new Load(door, PORT, RATE);
  await until('numbers come out', () => load.written().length > RATE / 2);
  return { door, load, worker: await owner(lab, door, 'numbers', door) };
}

/** How long nothing came out after something happened: to the first number that was sent after it. */
async function flowsAgain(load, at, first) {
  const found = await until('numbers come out again', () => load.written().find((it) => it.number >= first && it.at >= at), 60_000, 20);
  return found.at - at;
}

/** The worker's host is lost at once. */
export async function lost(lab, report) {
  const { door, load, worker } = await begun(lab);
  worker.killAll();
  const [at, first] = [Date.now(), load.next];
  report.figure('host killed (-9), until a number sent after that is out', await flowsAgain(load, at, first), 'ms', 5_000);
  await sleep(1_500);
  const begin = now();
  await worker.start();
  await allSee(lab, lab.hosts);
  report.figure('it comes back, until five see five', now() - begin, 'ms');
  await sleep(1_000);
  kept(report, 'host killed', await load.end(), at);
  const at2 = (await parts(door, 'numbers')).filter((part) => part.node !== door.name);
  report.promise('one worker runs, elsewhere', at2.length === 1 && at2[0].node !== worker.name, at2.map((it) => it.node).join(', '));
}

/** The worker's host is cut off, and comes back with its program still running. */
export async function cutOff(lab, report, { short }) {
  const { door, load, worker } = await begun(lab);
  const pids = (await parts(door, 'numbers')).filter((part) => part.node === worker.name).map((part) => part.pid);
  lab.cut(worker);
  const [at, first] = [Date.now(), load.next];
  report.figure('cable pulled, until a number sent after that is out', await flowsAgain(load, at, first), 'ms', 5_000);
  await sleep(Math.max(0, (short ? 4_000 : 10_000) - (Date.now() - at)));
  lab.heal(worker);
  await allSee(lab, lab.hosts);
  await until('the old program has ended', () => !worker.pids().some((pid) => pids.includes(pid)), 30_000).then(
    () => report.promise('the old owner ends its program when it hears of the new one', true),
    (error) => report.promise('the old owner ends its program when it hears of the new one', false, error.message),
  );
  await sleep(2_000);
  kept(report, 'cable pulled', await load.end(), at);
}

/** Every agent is replaced, one after the other; programs are not. */
export async function upgrade(lab, report, { short }) {
  const { door, load, worker } = await begun(lab);
  const running = async () => (await parts(door, 'numbers')).map((part) => `${part.part}@${part.node}:${part.pid}`).sort().join(' ');
  const before = await running();
  const longest = [];
  for (const host of short ? [door, worker] : lab.hosts) {
    const at = Date.now();
    await host.stopAgent();
    await host.start();
    await allSee(lab, lab.hosts);
    await until('numbers go on', () => load.written().at(-1)?.at > at);
    await sleep(500);
    const times = load.written().map((it) => it.at).filter((time) => time >= at - 100);
    longest.push(Math.max(...times.slice(1).map((time, index) => time - times[index])));
  }
  report.figure('the longest time without a number, while an agent was replaced', Math.max(...longest), 'ms');
  await until('all run', async () => (await parts(door, 'numbers')).every((part) => part.phase === 'running'));
  const after = await running();
  report.promise('programs go on running', before === after, `${before} → ${after}`);
  kept(report, 'agents replaced', await load.end());
}

/** A new version takes the place of the old one. */
export async function version(lab, report) {
  const { door, load } = await begun(lab);
  const clients = new Clients(door, PORT);
  const begin = now();
  await deploy(lab, door, 'numbers', numbers(2, door.name), { delivery: 'durable' });
  report.figure('vgdc deploy', now() - begin, 'ms');
  await until('the new version works', () => load.written().at(-1)?.by === 2);
  await sleep(500);
  const { refused, served } = await clients.end();
  report.promise('nobody who connects is refused', served > 0 && !refused, `${refused} of ${served + refused}`);
  const result = await load.end();
  const times = result.written.map((it) => it.at);
  report.figure('the longest time without a number, while a version was replaced', Math.max(...times.slice(1).map((time, index) => time - times[index])), 'ms');
  const last = Math.max(...result.written.map((it, index) => (it.by === 1 ? index : 0)));
  const early = result.written.slice(0, last).filter((it) => it.by === 2).length;
  report.promise('the new version begins when the old one has ended', !early, `${early} before the last of the old one`);
  kept(report, 'version replaced', result);
}

/** The worker is moved from host to host, and its host is drained, as for maintenance: nothing is lost, since nobody dies. */
export async function moved(lab, report, { short }) {
  const { door, load, worker } = await begun(lab);
  let from = worker;
  const been = [door, worker];
  for (const how of short ? ['drain'] : ['move', 'drain', 'move']) {
    const part = (await parts(door, 'numbers')).find((it) => it.node === from.name).part;
    // (never to where it has been: what stays behind there is not found again by luck)
    const to = lab.others(...been)[0];
    const begin = now();
    if (how === 'move') await door.ask({ op: 'move', flow: 'numbers', part, to: to.name });
    else await door.ask({ op: 'drain', node: from.name });
    report.figure(`${how}, until it is answered`, now() - begin, 'ms');
    const next = await owner(lab, door, 'numbers', door, (it) => it.node !== from.name);
    const first = load.next;
    await until('numbers go on', () => load.written().some((it) => it.number >= first));
    if (how === 'drain') await door.ask({ op: 'undrain', node: from.name });
    been.push(next);
    from = next;
    await sleep(500);
  }
  const result = await load.end();
  const times = result.written.map((it) => it.at);
  report.figure('the longest time without a number, while it was moved', Math.max(...times.slice(1).map((time, index) => time - times[index])), 'ms');
  kept(report, 'worker moved', result);
}
