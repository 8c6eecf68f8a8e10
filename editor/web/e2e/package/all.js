module.exports = function (RED) {
  function Server(config) {
    RED.nodes.createNode(this, config);
  }
  RED.nodes.registerType("e2e-server", Server, { credentials: { password: { type: "password" } } });
  RED.nodes.registerType("e2e all", function (config) { RED.nodes.createNode(this, config); }, { credentials: { user: { type: "text" }, token: { type: "password" } } });
  RED.httpAdmin.get("/e2e-answers", (request, response) => response.json({ answer: `${request.query.of} of the server` }));
};
