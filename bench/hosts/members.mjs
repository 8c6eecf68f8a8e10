// Who is there, who is not, and who decides.
import { sleep } from '../lines.mjs';
import { run } from './lab.mjs';
import { now, until } from './host.mjs';
import { allSee, leader, mesh, theySee, write } from './mesh.mjs';

/** Five agents find each other: as strangers with a token, as members, and as members of which nobody knows the addresses. */
export async function discovery(lab, report) {
  report.figure('four join by token at once, until five see five', await mesh(lab), 'ms');
  for (const what of ['five members start anew at once, until five see five', 'the same, all with new addresses (mDNS alone)']) {
    for (const host of lab.hosts) host.killAll();
    if (what.includes('new addresses')) {
      for (const host of lab.hosts) {
        const before = host.address;
        host.address = before.replace(/\d+$/, (last) => Number(last) + 100);
        run('ip', '-n', host.name, 'addr', 'del', `${before}/24`, 'dev', 'eth0');
        run('ip', '-n', host.name, 'addr', 'add', `${host.address}/24`, 'dev', 'eth0');
        run('ip', '-n', host.name, 'route', 'replace', 'default', 'via', '10.99.0.254');
      }
    }
    const starting = lab.hosts.map((host) => host.start());
    const begin = now();
    const seen = allSee(lab, lab.hosts, 20_000);
    await Promise.all(starting);
    report.figure(what, (await seen) - begin, 'ms', 1_000);
  }
}

/** An agent dies, and one is cut off. */
export async function loss(lab, report) {
  await mesh(lab);
  const [killed, cut] = [lab.host('d'), lab.host('e')];
  await sleep(1_000);
  let begin = now();
  killed.killAgent();
  report.figure('agent killed (-9), until four see it down', (await theySee(lab.others(killed), killed, 'down')) - begin, 'ms', 100);
  await killed.start();
  await allSee(lab, lab.hosts);
  await sleep(1_000);
  begin = now();
  lab.cut(cut);
  report.figure('cable pulled, until four see it down', (await theySee(lab.others(cut), cut, 'down')) - begin, 'ms', 2_000);
  begin = now();
  lab.heal(cut);
  report.figure('plugged in again, until five see five', (await allSee(lab, lab.hosts)) - begin, 'ms');
}

/** Who leads dies, or is cut off: the next change that is accepted. */
export async function failover(lab, report) {
  await mesh(lab);
  for (const how of ['killed (-9)', 'cut off']) {
    const first = await leader(lab, lab.host('b'));
    const other = lab.others(first)[0];
    const idle = lab.others(first, other)[0];
    await write(other, idle);
    let begin = now();
    if (how === 'cut off') lab.cut(first);
    else first.killAgent();
    report.figure(`leader ${how}, until a change is accepted`, (await write(other, idle)) - begin, 'ms', 3_000);
    begin = now();
    if (how === 'cut off') lab.heal(first);
    else await first.start();
    await allSee(lab, lab.hosts);
    report.figure(`it comes back, until five see five (${how})`, now() - begin, 'ms');
    // (who led before names itself until it hears of the next one)
    let leaders;
    const one = async () => {
      leaders = new Set(await Promise.all(lab.hosts.map(async (host) => (await host.status())?.leader)));
      return leaders.size === 1 && !leaders.has(null);
    };
    report.promise('all name one leader within 5 s', await until('one leader', one, 5_000).catch(() => false), [...leaders].join(', '));
  }
}
