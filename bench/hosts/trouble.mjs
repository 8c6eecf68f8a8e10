// A disk that is full, a disk that is slow, a clock that is wrong.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, rmdirSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sleep } from '../lines.mjs';
import { now, until } from './host.mjs';
import { PORT, beats, numbers, written } from './flows.mjs';
import { Load, kept } from './load.mjs';
import { allSee, deploy, leader, mesh, owner, parts, theySee, vgdc, write } from './mesh.mjs';

const RATE = 400;
const revision = async (host) => (await host.status())?.revision;

/** How long a change takes, of several. */
async function changes(host, of, count) {
  const times = [];
  for (let at = 0; at < count; at++) {
    const begin = now();
    times.push((await write(host, of)) - begin);
  }
  return times.sort((a, b) => a - b)[count >> 1];
}

/** Makes a file that leaves no room on a host's disk. */
function fill(host) {
  const file = path.join(host.data, 'ballast');
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=4k'], { stdio: 'ignore' });
  } catch { /* it is full: that is how it ends */ }
  return () => rmSync(file);
}

/** What is said of a disk that is full. */
const FULL = /no space left|disk (is )?full/i;

export async function fullDisk(lab, report, { short }) {
  const full = lab.host('e');
  full.mount(64);
  await mesh(lab);
  const [door, other] = [lab.host('a'), lab.host('d')];
  await deploy(lab, door, 'numbers', numbers(1, door.name), { delivery: 'durable' });
  const load = new Load(door, PORT, RATE);
  await until('numbers come out', () => load.written().length > RATE / 2);
  const before = await changes(door, other, 10);
  const room = fill(full);
  report.say(`${full.name} has ${statfsSync(full.data).bavail} blocks left`);
  const first = load.next;
  // (what is there of its log's file has room for some: enough are made for it to need more)
  report.figure('a change, before', before, 'ms');
  report.figure('a change, while one host\'s disk is full', await changes(door, other, short ? 60 : 300), 'ms', 1_000);
  const late = await vgdc(door, 'deploy', ...written(lab, 'late', beats(full.name)), '--patience', '20');
  report.promise('a flow for the full host is refused', late.code !== 0, late.said.trim().split('\n').at(-2)?.slice(0, 300));
  await until('numbers go on', () => load.written().at(-1)?.number >= first);
  const why = () => readFileSync(full.log, 'utf8').split('\n').find((line) => FULL.test(line));
  await until('the full one says why', why, 5_000).then(
    (line) => report.promise('the full one says why in its log', true, line.slice(0, 160)),
    () => report.promise('the full one says why in its log', false, full.lastWords().slice(0, 300)),
  );
  const behind = [await revision(full), await revision(door)];
  report.say(`revisions: ${behind[0]} at the full one, ${behind[1]} elsewhere`);
  room();
  const begin = now();
  const caughtUp = async () => (await revision(full)) === (await revision(door));
  await until('it catches up', caughtUp, 15_000, 20).then(
    () => report.figure('there is room again, until it has caught up', now() - begin, 'ms'),
    (error) => report.promise('it catches up when there is room again', false, error.message),
  );
  await allSee(lab, lab.hosts);
  kept(report, 'disk full', await load.end());
}

/** The control group of what is slow, for the folder of all labs: whoever removes that removes this. */
export const slowGroup = (folder) => path.join('/sys/fs/cgroup/blkio', path.basename(folder));

/** A group of processes that writes no faster than so often a second; none where this system cannot do that. */
function throttle(host, writes) {
  const group = slowGroup(path.resolve(host.data, '../..'));
  try {
    // (the folder's disk, by its numbers: its whole, where it is a partition that cannot be throttled)
    const device = execFileSync('stat', ['-c', '%Hd:%Ld', host.data], { encoding: 'utf8' }).trim();
    mkdirSync(group);
    writeFileSync(`${group}/blkio.throttle.write_iops_device`, `${device} ${writes}`);
    for (const pid of host.pids()) writeFileSync(`${group}/cgroup.procs`, String(pid));
    return () => {
      for (const pid of host.pids()) writeFileSync('/sys/fs/cgroup/blkio/cgroup.procs', String(pid));
      rmdirSync(group);
    };
  } catch (error) {
    if (existsSync(group)) rmdirSync(group);
    return error.message;
  }
}

export async function slowDisk(lab, report) {
  await mesh(lab);
  const [door, other] = [lab.host('a'), lab.host('d')];
  await deploy(lab, door, 'numbers', numbers(1, door.name), { delivery: 'durable' });
  const load = new Load(door, PORT, RATE);
  await until('numbers come out', () => load.written().length > RATE / 2);
  const worker = await owner(lab, door, 'numbers', door);
  const leading = await leader(lab, door);
  // (neither where numbers are taken, nor where changes are decided: that is another matter)
  const slow = lab.others(door, worker, leading, other)[0];
  const before = await changes(door, other, 10);
  const faster = throttle(slow, 4);
  if (typeof faster === 'string') {
    report.note(`a slow disk could not be made here: ${faster}`);
    return void await load.end();
  }
  try {
    await sleep(1_000);
    report.figure('a change, before', before, 'ms');
    report.figure('a change, while one host writes 4 times a second at most', await changes(door, other, 20), 'ms', 1_000);
    const status = await door.status();
    report.promise('a host with a slow disk counts as alive', status.nodes.every((it) => it.state === 'alive'), status.nodes.map((it) => it.state).join(' '));
    report.promise('the leader stays', (await leader(lab, door)) === leading, leading.name);
  } finally {
    faster();
  }
  const begin = now();
  await until('it catches up', async () => (await revision(slow)) === (await revision(door)), 30_000, 20).then(
    () => report.figure('fast again, until it has caught up', now() - begin, 'ms'),
    (error) => report.promise('it catches up', false, error.message),
  );
  kept(report, 'disk slow', await load.end());
}

/** What makes a process's clock go an hour ahead, and leaves alone what measures time; none without libfaketime. */
function ahead() {
  const found = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib', '/usr/local/lib']
    .map((folder) => path.join(folder, 'faketime', 'libfaketimeMT.so.1')).find((file) => existsSync(file));
  return found && { LD_PRELOAD: found, FAKETIME: '+3600s', DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

export async function skew(lab, report) {
  const clock = ahead();
  if (!clock) return report.note('a wrong clock could not be made here: there is no libfaketime (package `faketime`)');
  const [door, wrong, watcher] = [lab.host('a'), lab.host('e'), lab.host('d')];
  await mesh(lab, { env: { [wrong.name]: clock } });
  await write(wrong, watcher);
  await write(wrong, watcher);
  const audit = await door.ask({ op: 'audit', after: 0, most: 1_000 });
  const most = Math.max(...audit.map((it) => it.at - Date.now()));
  report.promise('its clock is an hour ahead, and the audit log has its time', most > 3_500_000, `${Math.round(most / 1000)} s`);
  await deploy(lab, door, 'numbers', numbers(1, door.name), { delivery: 'durable' });
  const load = new Load(door, PORT, RATE);
  await until('numbers come out', () => load.written().length > RATE / 2);
  const worker = await owner(lab, door, 'numbers', door);
  if (worker !== wrong) {
    const part = (await parts(door, 'numbers')).find((it) => it.node === worker.name);
    await door.ask({ op: 'move', flow: 'numbers', part: part.part, to: wrong.name });
  }
  await owner(lab, door, 'numbers', door, (it) => it.node === wrong.name);
  const first = load.next;
  await until('numbers go over the host with the wrong clock', () => load.written().at(-1)?.number >= first);
  report.promise('parts run where the clock is wrong', true);
  const { code, said } = await vgdc(door, 'mesh', 'token', '--uses', '1');
  report.promise('a token is made', code === 0, said.trim().slice(0, 80).replace(/\..*/, '…'));
  let begin = now();
  const [at, sent] = [Date.now(), load.next];
  wrong.killAll();
  report.figure('the host with the wrong clock killed, until four see it down', (await theySee(lab.others(wrong), wrong, 'down')) - begin, 'ms', 100);
  const again = await until('numbers come out again', () => load.written().find((it) => it.number >= sent && it.at >= at), 60_000, 20);
  report.figure('the same, until a number sent after that is out', again.at - at, 'ms', 5_000);
  begin = now();
  // (its clock is right again: it was in the future until now)
  await wrong.start();
  await allSee(lab, lab.hosts, 20_000).then(
    () => report.figure('it comes back with the right clock, until five see five', now() - begin, 'ms', 1_000),
    (error) => report.promise('it comes back with the right clock', false, error.message),
  );
  kept(report, 'clock wrong', await load.end(), at);
}
