'use strict';
// Which packages, and which of its own nodes, Node-RED is to load: what the flows need and no more, since loading is most of a start.

const fs = require('node:fs');
const path = require('node:path');

const list = (folder) => (fs.existsSync(folder) ? fs.readdirSync(folder) : []);

/** The packages of a user folder that are Node-RED's, by their names: the files of their nodes, and whether they extend it. */
function installed(userDir) {
  const modules = path.join(userDir, 'node_modules');
  const names = list(modules).flatMap((name) => (name.startsWith('@') ? list(path.join(modules, name)).map((inner) => `${name}/${inner}`) : [name]));
  const all = new Map();
  for (const name of names) {
    const file = path.join(modules, name, 'package.json');
    if (!fs.existsSync(file)) continue;
    try {
      const own = JSON.parse(fs.readFileSync(file, 'utf8'))['node-red'];
      if (own) all.set(name, { files: Object.values(own.nodes ?? {}).map((node) => path.join(modules, name, node)), extends: Boolean(own.plugins) });
    } catch {
      // Node-RED says so itself of a package that it is to load.
    }
  }
  return all;
}

/** Names of folders and files, as the setting `nodesIncludes` wants them. */
function includes({ packages, types, userDir }, coreNodesDir) {
  const all = installed(userDir);
  const wanted = new Set(packages);
  for (const [name, { files, extends: extension }] of all) {
    if (extension && files.length === 0) wanted.add(name);
  }
  // Packages that others ask for by their names (a map that shows itself on a dashboard). A set is walked with what is added to it.
  for (const name of wanted) {
    for (const file of all.get(name)?.files ?? []) {
      const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
      for (const other of all.keys()) {
        if (text.includes(`'${other}'`) || text.includes(`"${other}"`)) wanted.add(other);
      }
    }
  }
  // (a package in a scope goes by its own name alone)
  const names = new Set([...wanted].map((name) => name.split('/').pop()));
  for (const file of fs.readdirSync(coreNodesDir, { recursive: true })) {
    if (!file.endsWith('.html')) continue;
    const page = fs.readFileSync(path.join(coreNodesDir, file), 'utf8');
    if (types.some((type) => page.includes(`registerType('${type}'`) || page.includes(`registerType("${type}"`))) {
      names.add(path.basename(file).replace(/html$/, 'js'));
    }
  }
  return [...names];
}

module.exports = { includes };
