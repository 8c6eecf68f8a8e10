// A package whose node ends the process each time it starts.
module.exports = function (RED) {
  RED.nodes.registerType('crash-loop', function (config) {
    RED.nodes.createNode(this, config);
    setImmediate(() => { throw new Error('again'); });
  });
};
