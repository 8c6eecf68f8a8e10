'use strict';
// What is wrong with a package that could not be loaded, in words that say how to mend it.

const fs = require('node:fs');
const path = require('node:path');

/** What Node.js and the usual loaders say of a native part that is not there, broken, or built for another Node.js. */
const NATIVE = /ERR_DLOPEN_FAILED|invalid ELF header|file too short|NODE_MODULE_VERSION|Could not locate the bindings file|was compiled against a different|cannot open shared object file|No native build was found/;

class Faults {
  /**
   * @param {string} userDir
   * @param {{ satisfies: (version: string, range: string) => boolean }} semver
   * @param {string} nodeRed the runtime's version
   */
  constructor(userDir, semver, nodeRed) {
    this.userDir = userDir;
    this.semver = semver;
    this.nodeRed = nodeRed;
  }

  #described(module) {
    try {
      return JSON.parse(fs.readFileSync(path.join(this.userDir, 'node_modules', module, 'package.json'), 'utf8'));
    } catch {
      return {};
    }
  }

  /** That a package wants another Node.js than this, where it says so. */
  wanted(module) {
    const range = this.#described(module).engines?.node;
    if (this.#fits(process.version, range)) return undefined;
    return `the package ${module} wants Node.js ${range}, and this is ${process.version}: install that, and name it in [settings.host] node`;
  }

  /** A package that Node-RED has not looked at, since it wants another one, as those that could not be loaded are told. */
  refused(module) {
    const { version, 'node-red': { version: range } = {} } = this.#described(module);
    if (this.#fits(this.nodeRed, range)) return [];
    const error = `it wants Node-RED ${range}, and this is ${this.nodeRed}: install that, or another version of the package`;
    return [{ module, version, name: 'its nodes', types: [], error }];
  }

  #fits(version, range) {
    return typeof range !== 'string' || this.semver.satisfies(version, range);
  }

  /** Why the nodes of a file are not there. */
  why({ module, err }) {
    const text = String(err.stack ?? err.message ?? err);
    if (NATIVE.test(`${err.code} ${text}`)) {
      return `${text}\n(its native part is not built for this machine's Node.js ${process.version}: run \`npm rebuild ${module}\` in ${this.userDir})`;
    }
    const wanted = this.wanted(module);
    return wanted ? `${text}\n(${wanted})` : text;
  }
}

module.exports = { Faults };
