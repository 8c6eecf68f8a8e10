// How fast links are over the agents: there and back between two hosts, as bench/mesh.mjs does it without agents.
import { latency, speed } from '../lines.mjs';
import { until } from './host.mjs';
import { PORT, there } from './flows.mjs';
import { deploy, mesh, parts } from './mesh.mjs';

export async function links(lab, report, { short }) {
  await mesh(lab);
  const [one, other] = lab.hosts;
  for (const delivery of ['fast', 'durable']) {
    await deploy(lab, one, delivery, there(one.name, other.name), { delivery });
    await until('both run', async () => (await parts(one, delivery)).every((it) => it.phase === 'running'));
    const [p50, p99] = await latency(PORT, short ? 500 : 3_000, one.address);
    report.figure(`${delivery}: there and back, one at a time, p50`, p50 / 1_000, 'ms');
    report.figure(`${delivery}: there and back, one at a time, p99`, p99 / 1_000, 'ms', delivery === 'fast' ? 2 : undefined);
    for (const away of [64, 2_000]) {
      const rate = await speed(PORT, away, short ? 1 : 3, one.address);
      report.figure(`${delivery}: there and back, ${away.toLocaleString('en')} away`, rate, '/s', delivery === 'fast' && away > 64 ? 80_000 : undefined, { more: true });
    }
    await one.ask({ op: 'remove', flow: delivery });
  }
}
