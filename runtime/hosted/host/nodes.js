'use strict';
// What nodes do in here goes to the native side, and what it sends comes to them: the seam between Node-RED's flows and ours.

const LEVELS = { 10: 'fatal', 20: 'error', 30: 'warn', 40: 'info', 50: 'debug', 60: 'trace' };
const OUT = 'vgdc-out:';
/** What may be dropped where the native side is too slow. */
const DROPPABLE = new Set(['done', 'sent', 'came']);

class Nodes {
  /**
   * @param {(name: string) => any} load gives a file of Node-RED's runtime
   * @param {import('./link').Link} link
   * @param {import('./values').Values} values
   * @param {{ generateId: () => string }} util
   */
  constructor(load, link, values, util) {
    this.util = util;
    this.link = link;
    this.values = values;
    this.flows = load('flows');
    this.envs = { flows: {}, groups: {} };
    this.wanted = new Set();
    this.watched = new Map();
    this.shown = new Map();
    this.own = new Map();
    this.delivering = false;
    this.Node = load('nodes/Node');
    this.known = new Map();
    this.started = false;
    const self = this;

    const { Flow } = load('flows/Flow');
    const ways = new Map();
    const getNode = Flow.prototype.getNode;
    Flow.prototype.getNode = function (id, cancelBubble) {
      if (typeof id === 'string' && id.startsWith(OUT)) {
        if (!ways.has(id)) ways.set(id, self.#way(id));
        return ways.get(id);
      }
      return getNode.call(this, id, cancelBubble);
    };
    // (errors and statuses are the native side's to hand on: who hears them is known there)
    Flow.prototype.handleError = function (node, logMessage, msg) {
      self.#tell('error', node.id, logMessage, msg);
      return true;
    };
    Flow.prototype.handleStatus = function (node, status) {
      if (status && Object.hasOwn(status, 'text') && typeof status.text !== 'string') status.text = String(status.text);
      self.#tell('status', node.id, status);
      return true;
    };
    Flow.prototype.handleComplete = function (node, msg) {
      if (self.wanted.has(node.id) || self.#watches(node, 'done')) self.#tell('done', node.id, msg);
    };
    const ownEnv = (table, { prototype }) => {
      const getSetting = prototype.getSetting;
      prototype.getSetting = function (key) {
        const own = self.envs[table][this.id];
        return own && Object.hasOwn(own, key) ? structuredClone(own[key]) : getSetting.call(this, key);
      };
    };
    ownEnv('flows', Flow);
    ownEnv('groups', load('flows/Group').Group);
  }

  #way(id) {
    const rest = id.slice(OUT.length);
    const at = rest.indexOf(':');
    const port = Number(rest.slice(0, at));
    const start = `["send",${JSON.stringify(rest.slice(at + 1))},${port},`;
    return { id, type: 'vgdc-out', receive: (msg) => this.link.add(`${start}${this.values.write(msg)}]`, true) };
  }

  #tell(kind, id, ...values) {
    const texts = values.map((value) => this.values.write(value));
    this.link.add(`["${kind}",${[JSON.stringify(id), ...texts].join(',')}]`, DROPPABLE.has(kind));
  }

  #watches(node, kind) {
    return Boolean(this.watched.get(node.id)?.includes(kind));
  }

  /**
   * Has told what else nodes do: kinds of events by their ids. Node-RED's own functions are replaced as long as somebody watches what
   * only they know, so that nobody else pays for it.
   */
  watch(watched) {
    this.watched = new Map(Object.entries(watched));
    const self = this;
    const kinds = new Set(Object.values(watched).flat());
    const { prototype } = this.Node;
    const replace = (name, isWatched, make) => {
      const own = this.own.get(name);
      if (isWatched && !own) {
        this.own.set(name, prototype[name]);
        prototype[name] = make(prototype[name]);
      } else if (!isWatched && own) {
        prototype[name] = own;
        this.own.delete(name);
      }
    };
    // (each node has a `send` of its own, by how it is wired)
    for (const [node, send] of this.shown) node.send = send;
    this.shown.clear();
    for (const id of this.watched.keys()) {
      const node = this.flows.get(id);
      if (node) this.#show(node);
    }
    replace('updateWires', kinds.has('send'), (updateWires) => function (wires) {
      updateWires.call(this, wires);
      self.#show(this);
    });
    replace('receive', kinds.has('input'), (receive) => function (msg) {
      // (what the native side hands over it has told of)
      if (!self.delivering && self.#watches(this, 'input')) {
        msg ??= {};
        msg._msgid ??= self.util.generateId();
        self.#tell('came', this.id, msg);
      }
      receive.call(this, msg);
    });
  }

  /** Has told what a node sends, if somebody watches that. */
  #show(node) {
    if (!this.#watches(node, 'send')) return;
    const { send } = node;
    this.shown.set(node, send);
    node.send = (msg) => {
      send.call(node, msg);
      this.#sent(node, msg);
    };
  }

  /** What a node has sent that the native side does not get, and so does not know. */
  #sent(node, given) {
    const outputs = Array.isArray(given) ? given : [given];
    outputs.slice(0, Math.max(node.wires.length, 1)).forEach((msgs, output) => {
      if (node.wires[output]?.some((to) => to.startsWith(OUT))) return;
      for (const msg of [msgs].flat()) {
        if (msg !== null && typeof msg === 'object') this.#tell('sent', node.id, output, msg);
      }
    });
  }

  /** A line of the log. */
  log(entry) {
    const level = LEVELS[entry.level];
    if (level === undefined) return;
    const node = entry.id && this.has(entry.id) ? entry.id : null;
    // (what Node-RED tells of its own doings is told by the native side in its own words)
    if (node === null && entry.level > (this.started ? 30 : 20)) return;
    // (a user folder need not have one)
    if (!this.started && /ENOENT.*package\.json'$/.test(String(entry.msg))) return;
    this.link.add(`["log",${JSON.stringify(node)},"${level}",${this.values.write(entry.msg)}]`, false);
  }

  has(id) {
    return this.known.has(id) || Boolean(this.#find(id));
  }

  #find(id) {
    const node = this.flows.get(id);
    if (node) this.known.set(id, node);
    return node;
  }

  /** Messages from the native side: pairs of a node's id and a message. */
  deliver(pairs) {
    for (const [id, msg] of pairs) {
      const node = this.known.get(id) ?? this.#find(id);
      if (!node) {
        this.#tell('error', id, 'the node does not run in its host', msg);
        continue;
      }
      this.delivering = true;
      try {
        node.receive(msg);
      } catch (error) {
        this.#tell('error', id, error, msg);
      } finally {
        this.delivering = false;
      }
    }
  }

  /** Before flows are deployed: what the nodes found so far are is known no longer. */
  forget() {
    this.known.clear();
  }
}

module.exports = { Nodes, OUT };
