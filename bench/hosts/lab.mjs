// Five hosts on one switch: network namespaces, each with an address, joined by a bridge. All of it is made within namespaces of this
// process's own (network, mounts, processes), so that it is gone when the process is, however that ends.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { Host } from './host.mjs';

const SUBNET = '10.99.0';
/** Where this process is in the hosts' network. */
export const SCRIPT = `${SUBNET}.254`;

export const run = (command, ...args) => execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const ip = (text) => run('ip', ...text.split(' '));

/** The network, without hosts: once a process. */
export function network() {
  // (names of network namespaces are files here: those of others are not to be seen, nor ours by them)
  run('mount', '-t', 'tmpfs', 'vgdc-hosts', '/run');
  mkdirSync('/run/netns');
  ip('link set lo up');
  for (const bridge of ['sw0', 'sw1']) {
    ip(`link add ${bridge} type bridge mcast_snooping 0`);
    ip(`link set ${bridge} up`);
  }
  ip(`addr add ${SCRIPT}/24 dev sw0`);
}

export class Lab {
  /** Hosts `a` to `e` that are plugged in and run nothing. Another lab at the same time has no room. */
  constructor(folder, bin, names = ['a', 'b', 'c', 'd', 'e']) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    this.hosts = names.map((name, at) => {
      const address = `${SUBNET}.${at + 1}`;
      ip(`netns add ${name}`);
      ip(`link add port-${name} type veth peer name eth0 netns ${name}`);
      ip(`link set port-${name} master sw0 up`);
      ip(`-n ${name} link set lo up`);
      run('ip', 'netns', 'exec', name, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6');
      ip(`-n ${name} addr add ${address}/24 dev eth0`);
      ip(`-n ${name} link set eth0 up`);
      // (mDNS goes to a group, for which there must be a way)
      ip(`-n ${name} route add default via ${SCRIPT}`);
      return new Host(name, address, path.join(folder, name), bin);
    });
  }

  host(name) {
    return this.hosts.find((host) => host.name === name);
  }

  /** All but these. */
  others(...but) {
    return this.hosts.filter((host) => !but.includes(host));
  }

  /** Pulls the cable: nothing that is sent arrives, and nobody is told. */
  cut(host) {
    ip(`link set port-${host.name} down`);
  }

  heal(host) {
    ip(`link set port-${host.name} up`);
  }

  /** Puts some hosts on a switch of their own. */
  split(hosts) {
    for (const host of hosts) ip(`link set port-${host.name} master sw1`);
  }

  join(hosts) {
    for (const host of hosts) ip(`link set port-${host.name} master sw0`);
  }

  /** Ends all that runs, and takes the hosts away. */
  async end() {
    for (const host of this.hosts) host.killAll();
    await Promise.all(this.hosts.map((host) => host.ended));
    for (const host of this.hosts) {
      ip(`netns del ${host.name}`);
      // (the pair goes with the namespace, but not at once)
      try { ip(`link del port-${host.name}`); } catch { /* it has gone */ }
      host.unmount();
    }
  }
}
