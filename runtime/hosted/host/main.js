'use strict';
// The host of Node-RED nodes that vgdc has no code of its own for: Node-RED's runtime, without editor and without its admin
// API, that runs exactly these nodes. vgdc starts it; descriptor 3 is the link, descriptor 4 the line for contexts.
//
// From the native side:  ["start", {…}]  ["deploy", {…}]  ["in", [[node, msg], …]]  ["settle", n]  ["ping", n]  ["free", [id, …]]  ["watch", {id: [kind, …]}]  ["stop"]
// To the native side:    ["loaded", {…}]  ["deployed", n]  ["out", [["send", node, port, msg], ["error"|"status"|"done"|"log", …], …]]
//                        ["ack", n]  ["settled", n, sent]  ["pong", n, {…}]  ["free", [id, …]]  ["answer", response, {…}]  ["crash", stack]  ["stopped"]

const { randomUUID } = require('node:crypto');
const net = require('node:net');
const http = require('node:http');
const path = require('node:path');
const { createRequire } = require('node:module');
const { Link, Line } = require('./link.js');
const { Values } = require('./values.js');
const { store } = require('./contexts.js');
const { includes } = require('./packages.js');
const { Nodes } = require('./nodes.js');
const { NativeHandle, THING } = require('./handles.js');
const { Responses } = require('./responses.js');
const { Faults } = require('./faults.js');

const socket = new net.Socket({ fd: 3, readable: true, writable: true });
const line = new Line(4);
const props = (id) => {
  const [outcome, props] = values.read(line.ask(values.write(['props', id])));
  return outcome === 'ok' ? props : undefined;
};
const answer = (response, what) => link.frame(values.write(['answer', response, what]));
const values = new Values({
  free: (ids) => link.frame(JSON.stringify(['free', ids])),
  props,
  request: (id) => host.responses.request(props(id)),
  response(handle) {
    const { req, headers } = props(handle.id)?._res ?? {};
    return host.responses.response(handle, req instanceof NativeHandle ? req[THING] : host.responses.request(), headers);
  },
  deprecated: (handle, method) => answer(handle, { warning: host.text('node-red:httpin.errors.deprecated-call', { method }) }),
});
const link = new Link(socket, onFrame);

let host; // Node-RED, once it has started

// Frames are worked off one after the other; messages go to their nodes at once, in their order.
let turn = Promise.resolve();

function onFrame(text) {
  const [kind, body] = values.read(text);
  switch (kind) {
    case 'in':
      link.light = body.length <= 2;
      host?.nodes.deliver(body);
      return link.frame(`["ack",${body.length}]`);
    case 'ping':
      return link.frame(JSON.stringify(['pong', body, { rss: process.memoryUsage.rss(), dropped: link.dropped }]));
    case 'settle':
      return void settle().then(() => link.frame(`["settled",${body},${link.sent}]`));
    case 'watch':
      return host?.nodes.watch(body);
    case 'free':
      return body.forEach((id) => values.lent.delete(id));
    case 'start':
    case 'deploy':
    case 'stop':
      turn = turn.then(() => ACTS[kind](body)).catch(fatal);
  }
}

const ACTS = {
  async start(options) {
    values.prefix = options.names;
    host = await start(options);
  },
  async deploy(deployment) {
    await host.deploy(deployment);
    link.frame(`["deployed",${deployment.number}]`);
  },
  async stop() {
    await host?.stop();
    link.frame('["stopped"]');
    socket.end(() => process.exit(0));
  },
};

/** Node-RED hands messages on by setImmediate: a few rounds in which nothing is sent mean that nothing is on its way. */
async function settle() {
  for (let quiet = 0, sent = link.sent; quiet < 4; ) {
    await new Promise(setImmediate);
    quiet = sent === link.sent ? quiet + 1 : 0;
    sent = link.sent;
  }
}

function fatal(error) {
  try {
    link.frame(JSON.stringify(['crash', String(error?.stack ?? error)]));
  } finally {
    // (what was written has to leave the process yet)
    socket.end(() => process.exit(70));
    setTimeout(() => process.exit(70), 1000);
  }
}

process.on('uncaughtException', fatal);
process.on('unhandledRejection', fatal);
// The native side ends this process in order, or its end is the end of the link.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
socket.on('close', () => process.exit(0));
socket.on('error', () => process.exit(0));

/** Starts Node-RED with the packages that the flows need. */
async function start(options) {
  const requireRed = createRequire(path.join(options.runtime, 'package.json'));
  const base = requireRed.resolve('@node-red/runtime/package.json');
  const load = (name) => requireRed(path.join(path.dirname(base), 'lib', name));
  const runtime = requireRed('@node-red/runtime');
  const util = requireRed('@node-red/util');
  const { events } = util;
  const express = createRequire(base)('express');

  const coreNodesDir = path.dirname(requireRed.resolve('@node-red/nodes'));
  const nodes = new Nodes(load, link, values, util.util);
  const app = express();
  let responses;
  const server = http.createServer((req, res) => responses?.take(req, res) || app(req, res));
  const given = options.settingsFile ? requireRed(options.settingsFile) : {};
  const settings = {
    // (what packages count on, since Node-RED's own start and its settings file say it)
    httpNodeRoot: '/',
    mqttReconnectTime: 15000,
    serialReconnectTime: 15000,
    debugMaxLength: 1000,
    functionExternalModules: true,
    ...given,
    ...options.settings,
    userDir: options.userDir,
    coreNodesDir,
    nodesIncludes: includes(options, coreNodesDir),
    httpAdminRoot: '/',
    disableEditor: true,
    editorTheme: { projects: { enabled: false } },
    // (what is encrypted with it goes nowhere)
    credentialSecret: randomUUID(),
    externalModules: { autoInstall: false },
    safeMode: false,
    logging: { console: { level: 'off' }, vgdc: { level: 'trace', metrics: false, handler: () => (entry) => nodes.log(entry) } },
    contextStorage: Object.fromEntries([
      ...options.stores.map((name) => [name, { module: store(name, line, values) }]),
      ['default', options.defaultStore],
    ]),
    storageModule: storage(path.join(options.state, 'settings.json')),
  };
  delete settings.nodesExcludes;
  if (options.stores.includes('default')) settings.contextStorage.default = { module: store('default', line, values) };

  app.disable('x-powered-by');
  util.init(settings);
  runtime.init(settings, server, { adminApp: express(), auth: { needsPermission: () => (_req, _res, next) => next() }, server });
  const internal = runtime._;
  responses = new Responses(internal.nodeApp, express().disable('x-powered-by'), options.socket, { answer });
  app.use(internal.adminApp);
  if (settings.httpNodeRoot !== false) app.use(settings.httpNodeRoot, internal.nodeApp);
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.socket, resolve);
  });

  const flowsStarted = () => new Promise((resolve) => events.once('flows:started', resolve));
  const begun = flowsStarted();
  await runtime.start();
  await begun;
  nodes.started = true;
  const list = internal.nodes.getNodeList();
  const semver = createRequire(requireRed.resolve('@node-red/registry/package.json'))('semver');
  const faults = new Faults(options.userDir, semver, internal.version());
  for (const name of options.packages) {
    const wanted = faults.wanted(name);
    if (wanted) link.add(`["log",null,"warn",${JSON.stringify(wanted)}]`, false);
  }
  link.frame(
    JSON.stringify([
      'loaded',
      {
        node: process.version,
        version: internal.version(),
        sets: list
          .map((set) => ({ module: set.module, version: set.version, name: set.name, types: set.types, error: set.err ? faults.why(set) : null }))
          .concat(options.packages.flatMap((name) => faults.refused(name))),
      },
    ]),
  );

  const contexts = load('nodes/context');
  return {
    nodes,
    responses,
    text: util.i18n._,
    async deploy({ flows, credentials, type, parents, envs, wanted, watched }) {
      nodes.forget();
      nodes.watch(watched);
      nodes.envs = envs;
      nodes.wanted = new Set(wanted);
      // (a flow in a flow looks at the outer one's context for `$parent.`)
      for (const [id, parent] of parents) {
        contexts.getFlowContext(parent, 'global');
        contexts.getFlowContext(id, parent);
      }
      const known = flows.filter((node) => {
        if (isStructure(node) || internal.nodes.getType(node.type)) return true;
        link.frame(JSON.stringify(['failed', node.id, `the node type ${node.type} is not there: its package did not load it`]));
        return false;
      });
      const started = flowsStarted();
      await internal.nodes.setFlows(known, credentials, type, true, true);
      await started;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await runtime.stop();
    },
  };
}

const isStructure = (node) => node.type === 'tab' || node.type === 'group';

/** Where Node-RED keeps its own settings; flows and credentials come over the link and are kept nowhere. */
function storage(file) {
  const files = require('node:fs/promises');
  const none = async () => {};
  return {
    init: none,
    getFlows: async () => [],
    saveFlows: none,
    getCredentials: async () => ({}),
    saveCredentials: none,
    getSettings: async () => {
      try {
        return JSON.parse(await files.readFile(file, 'utf8'));
      } catch (error) {
        if (error.code === 'ENOENT') return {};
        throw error;
      }
    },
    saveSettings: async (settings) => {
      await files.writeFile(`${file}.new`, JSON.stringify(settings));
      await files.rename(`${file}.new`, file);
    },
    getSessions: async () => ({}),
    saveSessions: none,
    getLibraryEntry: async () => [],
    saveLibraryEntry: none,
  };
}
