// A node that does what its messages say: the tests' way to have a package do anything.
const { EventEmitter } = require('node:events');

module.exports = function (RED) {
  const started = {};

  RED.nodes.registerType('probe-config', function (config) {
    RED.nodes.createNode(this, config);
    this.host = config.host;
  }, { credentials: { key: { type: 'password' } } });

  class Point {
    constructor(x) { this.x = x; }
    twice() { return this.x * 2; }
  }
  const things = new EventEmitter();

  const acts = {
    // what the node knows of itself
    self(node, config, msg) {
      const cfg = RED.nodes.getNode(config.cfg);
      msg.self = {
        id: node.id, type: node.type, name: node.name, tag: config.tag, z: node.z, starts: started[node.id],
        host: cfg?.host, key: cfg?.credentials?.key,
        env: Object.fromEntries(['A', '$parent.A', 'G', 'PROCESS', 'NR_NODE_ID', 'NR_FLOW_ID', 'NR_FLOW_NAME', 'NR_GROUP_NAME', 'NR_SUBFLOW_ID']
          .map((name) => [name, RED.util.evaluateNodeProperty(name, 'env', node)])),
      };
      return msg;
    },
    contexts(node, _config, msg) {
      const own = node.context();
      own.set('n', (own.get('n') ?? 0) + 1);
      own.flow.set('a.b', { deep: [1, undefined, new Date(0)] });
      own.flow.set('gone', undefined);
      own.global.set(['x', 'y'], [1, 2], 'second');
      msg.seen = {
        native: own.flow.get('native'), n: own.get('n'), deep: own.flow.get('a.b.deep[0]'), both: own.global.get(['x', 'y'], 'second'),
        keys: own.flow.keys(), parent: own.flow.get('$parent.outer'), unknown: own.flow.get('nothing'),
      };
      try {
        own.flow.get('a[');
      } catch (error) {
        msg.seen.error = [error.code, error.message];
      }
      own.flow.get('native', (error, value) => { msg.seen.callback = [error, value]; });
      return msg;
    },
    lend(_node, _config, msg) {
      msg.thing = things;
      msg.point = new Point(3);
      return msg;
    },
    lent(_node, _config, msg) {
      msg.same = msg.thing === things;
      return msg;
    },
    answer(_node, _config, msg) {
      msg.res._res.status(203).set('x-probe', ['a', 'b']).send({ q: msg.req.query.q, type: msg.req.get('Content-Type'), method: msg.req.method });
    },
    both: (_node, _config, msg) => [msg, { payload: 'second', of: msg._msgid }],
    many: (_node, _config, msg) => [Array.from({ length: msg.count }, (_, payload) => ({ payload }))],
    status(node, _config, msg) {
      node.status({ fill: 'blue', shape: 'ring', text: 7 });
      node.status('short');
      node.status({});
      return msg;
    },
    log(node) {
      node.log('one');
      node.warn({ two: 2 });
      node.error('three');
      node.debug('four');
    },
    raise: (node, _config, msg) => node.error('raised', msg),
    fail() { throw Object.assign(new TypeError('failed'), { code: 'EFAIL' }); },
    crash: () => void setImmediate(() => { throw new Error('crashed on purpose'); }),
    hang() { for (;;); },
    leak() {
      const all = [];
      const more = () => { all.push(new Array(1e6).fill(all.length)); setImmediate(more); };
      more();
    },
    flood(node, _config, msg) {
      const text = 'x'.repeat(1 << 20);
      for (let payload = 0; payload < msg.count; payload++) node.send({ payload, text });
    },
  };

  RED.nodes.registerType('probe', function (config) {
    RED.nodes.createNode(this, config);
    const node = this;
    started[node.id] = (started[node.id] ?? 0) + 1;
    node.on('input', (msg, send, done) => {
      if (msg.do === 'never') return;
      try {
        const out = msg.do ? acts[msg.do](node, config, msg) : msg;
        if (out) send(out);
        done();
      } catch (error) {
        done(error);
      }
    });
    node.on('close', (removed, done) => {
      node.context().global.set(`closed_${node.id}`, removed);
      done();
    });
  });

  // Gets requests itself, and hands the response on as Node-RED's own node does.
  RED.nodes.registerType('probe-in', function (config) {
    RED.nodes.createNode(this, config);
    RED.httpNode.get(config.url, (req, res) => this.send({ req, res: { _res: res }, payload: req.query }));
  });

  RED.httpAdmin.get('/probe/admin', (_req, res) => res.send('admin'));
  RED.httpNode.post('/probe/node/:id', (req, res) => {
    const parts = [];
    req.on('data', (part) => parts.push(part));
    req.on('end', () => res.status(201).set('x-probe', req.params.id).send(Buffer.concat(parts).toString().toUpperCase()));
  });
  RED.server.on('upgrade', (req, socket) => {
    if (req.url !== '/probe/ws') return;
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.pipe(socket);
  });
};
