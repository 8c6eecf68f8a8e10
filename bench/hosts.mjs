// Five hosts that are lost, cut off, split, filled, slowed down and upgraded: what a mesh promises, and how long it takes.
//
//   node bench/hosts.mjs --bin target/release [--runs 5] [--only REGEX] [--short] [--json] [--keep]
//
// Needs root on Linux, `ip`, `unshare` and `nsenter`: each host is a network namespace, all are on one bridge, and agents and programs are
// real processes. They live in namespaces of this program's own, so nothing of the machine is touched, and nothing stays, however it ends.
// Ends with 1 where a promise was broken or a figure misses its goal, with 2 where it cannot run here. `--short` is what a test can wait for; it
// ends with 1 for broken promises alone. docs/mesh-tests.md says what
// is measured, and how.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Report } from './hosts/report.mjs';
import { Lab, network } from './hosts/lab.mjs';
import { scenarios } from './hosts/scenarios.mjs';
import { slowGroup } from './hosts/trouble.mjs';

const { values: args } = parseArgs({
  options: {
    bin: { type: 'string' }, runs: { type: 'string' }, only: { type: 'string', default: '' }, short: { type: 'boolean' },
    json: { type: 'boolean' }, keep: { type: 'boolean' }, inside: { type: 'string' },
  },
});

function impossible(why) {
  console.error(`hosts: ${why}`);
  process.exit(2);
}

/** Makes the namespaces, and runs this file again as the program of them. When it ends, all that is in them ends. */
function outside() {
  if (process.getuid?.() !== 0) impossible('making network namespaces needs root');
  for (const tool of ['ip', 'unshare', 'nsenter', 'mount']) {
    try {
      execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' });
    } catch {
      impossible(`there is no \`${tool}\` here (iproute2 and util-linux have it)`);
    }
  }
  const own = ['--net', '--mount', '--pid', '--ipc', '--uts', '--fork', '--mount-proc', '--kill-child=SIGKILL'];
  try {
    execFileSync('unshare', [...own, 'sh', '-c', 'mount -t tmpfs x /run && mkdir /run/netns && ip link add sw9 type bridge && ip netns add x'], { stdio: 'ignore' });
  } catch {
    impossible('network namespaces and bridges cannot be made here, though this is root');
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'vgdc-hosts-'));
  // (the shell is there to take in processes whose parents have died)
  const again = ['sh', '-c', '"$@"; exit $?', 'hosts', process.execPath, process.argv[1], ...process.argv.slice(2), '--inside', folder];
  const child = spawn('unshare', [...own, ...again], { stdio: ['pipe', 'inherit', 'inherit'] });
  const end = () => child.kill('SIGKILL');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => { process.exitCode = 130; end(); });
  child.on('exit', (code) => {
    if (existsSync(slowGroup(folder))) rmdirSync(slowGroup(folder));
    if (args.keep) console.error(`hosts: what was written where a promise was broken is in ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
    process.exit(code ?? process.exitCode ?? 1);
  });
}

async function inside(folder) {
  // (the program that made the namespaces has gone)
  process.stdin.on('end', () => process.exit(1)).resume();
  process.on('SIGINT', () => process.exit(130));
  const bin = path.resolve(args.bin);
  const report = new Report();
  const only = new RegExp(args.only);
  const chosen = scenarios.filter(({ name, short }) => (args.short ? short : true) && only.test(name));
  const runs = Number(args.runs ?? (args.short ? 1 : 5));
  network();
  // (figures are of a disk; what is judged by promises alone need not wait for one)
  if (args.short && !args.keep) execFileSync('mount', ['-t', 'tmpfs', 'vgdc-hosts', folder]);
  for (const { name, run, once } of chosen) {
    report.scenario = name;
    for (let at = 0; at < (once ? 1 : runs); at++) {
      const [begin, brokenBefore] = [performance.now(), report.broken];
      console.error(`${name}, run ${at + 1}`);
      const lab = new Lab(path.join(folder, `${name}-${at}`), bin);
      try {
        await run(lab, report, { short: Boolean(args.short), at });
      } catch (error) {
        report.promise('it came to its end', false, error.message);
        if (process.env.HOSTS_TRACE) console.error(error);
      }
      await lab.end();
      report.say(`(${((performance.now() - begin) / 1000).toFixed(1)} s)`);
      if (!args.keep || report.broken === brokenBefore) rmSync(lab.folder, { recursive: true, force: true });
    }
  }
  console.log(args.json ? report.json() : report.text());
  // (a test does not fail since the machine has other work to do)
  process.exit((args.short ? report.held : report.good) ? 0 : 1);
}

if (!args.bin || !['vgdc', 'vgdc-agent', 'vgdc-runner'].every((program) => existsSync(path.join(args.bin, program)))) {
  impossible('--bin names the folder that has vgdc, vgdc-agent and vgdc-runner');
}
if (args.inside) await inside(args.inside);
else outside();
