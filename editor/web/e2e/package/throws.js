module.exports = function (RED) {
  for (const type of ["e2e throws", "e2e prepares badly", "e2e without a form", "e2e hangs"]) RED.nodes.registerType(type, function (config) { RED.nodes.createNode(this, config); });
};
