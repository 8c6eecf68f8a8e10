// A mesh over the hosts of a lab, and flows on it.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { sleep } from '../lines.mjs';
import { now, until } from './host.mjs';
import { written } from './flows.mjs';

const SAYS = (status, test) => status?.nodes.length && status.nodes.every(test);

/** `a` makes the mesh, the others join by its token, all at once. Resolves when all see all, and each has a vote. */
export async function mesh(lab, { env = {} } = {}) {
  const [first, ...rest] = lab.hosts;
  await first.start(['--mesh', 'bench'], { env: env[first.name] });
  const token = await first.ask({ op: 'token', uses: rest.length, seconds: 600 });
  const begin = now();
  await Promise.all(rest.map((host) => host.start(['--join', token, '--label', 'worker'], { env: env[host.name], patience: 60_000 })));
  await allSee(lab, lab.hosts);
  const took = now() - begin;
  await until('five votes', async () => SAYS(await first.status(), (it) => it.role !== 'follower'));
  return took;
}

/** When all of these see all of these alive. */
export const allSee = async (lab, hosts, patience) => {
  const states = Object.fromEntries(hosts.map((host) => [host.name, 'alive']));
  return Math.max(...(await Promise.all(hosts.map((host) => host.sees(states, patience)))));
};

/** When all of these see that one so. */
export const theySee = async (hosts, whom, state, patience) =>
  Math.max(...(await Promise.all(hosts.map((host) => host.sees({ [whom.name]: state }, patience)))));

/** Runs `vgdc` at a host: its code and what it said. */
export function vgdc(host, ...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(path.join(host.bin, 'vgdc'), args, { env: { ...process.env, VGDC_AGENT: host.sockets }, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => { said += text; });
    child.on('error', reject).on('exit', (code) => resolve({ code, said }));
  });
}

export async function deploy(lab, host, name, flow, options) {
  const { code, said } = await vgdc(host, 'deploy', ...written(lab, name, flow, options));
  if (code !== 0) throw new Error(`${name} is not deployed: ${said.trim().split('\n').slice(-3).join(' | ')}`);
}

/** The parts of a flow as a host sees them. */
export async function parts(host, flow) {
  const status = await host.status();
  return status?.flows.find((it) => it.flow === flow)?.parts ?? [];
}

/** The host on which a part runs that is not at home. */
export const owner = async (lab, from, flow, home, is = () => true) => until(`${flow} runs`, async () => {
  const it = (await parts(from, flow)).find((part) => part.node !== home.name && part.phase === 'running' && is(part));
  return it && lab.host(it.node);
});

/** The host that leads, as one sees it. */
export const leader = async (lab, from) => until('a leader', async () => {
  const name = (await from.status())?.leader;
  return name && lab.host(name);
});

/** Something that is written in the mesh's state: tried until it is. Gives when that was. */
export async function write(host, of, patience = 30_000) {
  let why = 'nothing was answered';
  for (const end = now() + patience; now() < end; await sleep(10)) {
    try {
      const draining = (await host.status())?.nodes.find((it) => it.name === of.name)?.draining;
      await host.ask({ op: draining ? 'undrain' : 'drain', node: of.name }, patience);
      return now();
    } catch (error) {
      why = error.message;
    }
  }
  throw new Error(`${host.name} cannot write: ${why}`);
}
