// The network falls into two and three: what is single runs on one side at most, and only the majority changes anything.
import { sleep } from '../lines.mjs';
import { now, until } from './host.mjs';
import { beats, written } from './flows.mjs';
import { allSee, deploy, leader, mesh, owner, vgdc, write } from './mesh.mjs';

const times = (host, file) => host.lines('beats', file).map(Number).filter(Boolean);

/** Who wrote when, and whether two ever did: each host's beats, as intervals without holes of a second. */
function tenures(lab) {
  const all = [];
  for (const host of lab.hosts) {
    for (const time of times(host, 'single.txt')) {
      const last = all.at(-1);
      if (last?.host === host && time - last.to < 1_000) last.to = time;
      else all.push({ host, from: time, to: time });
    }
  }
  return all.sort((a, b) => a.from - b.from);
}

/** For how long two wrote at once, in milliseconds. */
function together(tenures) {
  const pairs = tenures.flatMap((one, at) => tenures.slice(at + 1).filter((other) => other.host !== one.host).map((other) => [one, other]));
  return pairs.reduce((sum, [one, other]) => sum + Math.max(0, Math.min(one.to, other.to) - other.from), 0);
}

export async function split(lab, report, { short }) {
  await mesh(lab);
  const home = lab.host('a');
  await deploy(lab, home, 'beats', beats(home.name), { single: ['single.tick', 'single.now', 'single.book'] });
  const first = await owner(lab, home, 'beats', home);
  await until('it beats', () => times(first, 'single.txt').length > 20 && times(home, 'steady.txt').length > 20);
  const minority = [home, first];
  const majority = lab.others(...minority);
  // (a side on which nobody has the program cannot run it: agents fetch ahead what they may have to run)
  await sleep(3_000);
  report.say(`the minority: ${home.name}, ${first.name} (which runs what is single); ${(await leader(lab, home)).name} leads`);
  const at = Date.now();
  lab.split(minority);
  const takes = async () => {
    const found = await until('the majority runs what is single', () => majority.find((host) => times(host, 'single.txt').some((time) => time > at)), 30_000);
    return times(found, 'single.txt').find((time) => time > at);
  };
  const [taken, accepted] = await Promise.all([takes(), write(majority[0], majority[1]).then(() => Date.now())]);
  report.figure('split, until the majority runs what is single', taken - at, 'ms', 5_000);
  report.figure('split, until the majority accepts a change', accepted - at, 'ms', 3_000);
  report.figure('the minority ran on what is single for', Math.max(0, ...times(first, 'single.txt').map((time) => time - at)), 'ms');
  const refused = async (what, doing) => {
    const begin = now();
    const { code, said } = await doing;
    report.promise(`the minority refuses ${what}`, code !== 0, code === 0 ? 'it was done' : `${/no leader with a majority/.exec(said) ?? said.trim().slice(-200)} (${((now() - begin) / 1000).toFixed(1)} s)`);
  };
  await Promise.all([
    refused('vgdc mesh drain', vgdc(home, 'mesh', 'drain', first.name)),
    ...(short ? [] : [refused('vgdc deploy', vgdc(home, 'deploy', ...written(lab, 'late', beats(home.name), { hosts: minority })))]),
  ]);
  await sleep(short ? 0 : 5_000);
  const healed = Date.now();
  lab.join(minority);
  const begin = now();
  await allSee(lab, lab.hosts, 60_000);
  report.figure('joined again, until five see five', now() - begin, 'ms');
  await sleep(short ? 2_000 : 5_000);
  const all = tenures(lab);
  report.say(all.map((it) => `${it.host.name} ${it.from - at} to ${it.to - at} ms`).join(', '));
  report.promise('never two run what is single', together(all) === 0, `${together(all)} ms at once`);
  const steady = times(home, 'steady.txt').filter((time) => time > at - 500);
  const longest = Math.max(...steady.slice(1).map((time, index) => time - steady[index]));
  report.promise('what is not single runs on in the minority', longest < 1_000 && steady.at(-1) > healed, `${longest} ms without it at most`);
  const revisions = async () => new Set(await Promise.all(lab.hosts.map(async (host) => (await host.status())?.revision)));
  await until('all have one state', async () => (await revisions()).size === 1, 10_000, 100).then(
    () => report.promise('all have one state again', true),
    async () => report.promise('all have one state again', false, `revisions ${[...(await revisions())].join(', ')}`),
  );
}
