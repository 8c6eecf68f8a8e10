'use strict';
// Context stores whose values lie on the native side, so that both sides see the same ones. Node-RED's context is read
// synchronously, so each access is a question on a line of its own, answered before the next statement.

/** Makes the module of a context store. */
function store(name, line, values) {
  const ask = (op, scope, key, value) => {
    const answer = values.read(line.ask(values.write([op, name, scope, key, value])));
    if (answer[0] === 'ok') return answer[1];
    throw Object.assign(new Error(answer[1]), answer[2] ? { code: answer[2] } : {});
  };
  const one = (op, scope, key, value, callback) => {
    if (!callback) return ask(op, scope, key, value);
    let result;
    try {
      result = ask(op, scope, key, value);
    } catch (error) {
      return callback(error);
    }
    return callback(null, result);
  };
  const module = () => ({
    open: async () => {},
    close: async () => {},
    get(scope, key, callback) {
      if (!Array.isArray(key)) return one('get', scope, key, undefined, callback);
      const all = () => key.map((each) => ask('get', scope, each));
      if (!callback) return all();
      let results;
      try {
        results = all();
      } catch (error) {
        return callback(error);
      }
      return callback(null, ...results);
    },
    set(scope, key, value, callback) {
      const keys = Array.isArray(key) ? key : [key];
      const given = Array.isArray(key) ? value : [value];
      try {
        keys.forEach((each, at) => ask('set', scope, each, Array.isArray(given) ? given[at] : given));
      } catch (error) {
        if (callback) return callback(error);
        throw error;
      }
      if (callback) callback(null);
    },
    keys: (scope, callback) => one('keys', scope, undefined, undefined, callback),
    // What is forgotten, and when, is for the native side to say.
    delete: async () => {},
    clean: async () => {},
  });
  module.toString = () => 'vgdc';
  return module;
}

module.exports = { store };
