module.exports = function (RED) {
  RED.nodes.registerType("e2e escape", function (config) { RED.nodes.createNode(this, config); });
};
