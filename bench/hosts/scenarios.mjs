// All scenarios, in the order in which they run.
import { discovery, failover, loss } from './members.mjs';
import { cutOff, lost, moved, upgrade, version } from './work.mjs';
import { split } from './split.mjs';
import { fullDisk, skew, slowDisk } from './trouble.mjs';
import { links } from './speed.mjs';

/** `short`: is part of what a test waits for. `once`: takes long, and is no figure of which a median is wanted. */
export const scenarios = [
  { name: 'discovery', run: discovery },
  { name: 'loss', run: loss, short: true },
  { name: 'failover', run: failover },
  { name: 'host-lost', run: lost, short: true },
  { name: 'host-cut', run: cutOff },
  { name: 'split', run: split, short: true },
  { name: 'moved', run: moved, short: true },
  { name: 'upgrade', run: upgrade, short: true },
  { name: 'version', run: version },
  { name: 'full-disk', run: fullDisk },
  { name: 'slow-disk', run: slowDisk },
  { name: 'clock', run: skew },
  { name: 'links', run: links },
];
