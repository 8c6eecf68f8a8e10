"use strict";
// Sends what comes on the link `to` back on the link `from`: node echo.js CLIENT ADDRESS DELIVERY
const [client, address, delivery] = process.argv.slice(2);
const { connect } = require(client);

const connection = connect(address, { node: "client", peer: "test" });
const from = connection.sender("from", { delivery });
connection.on("failed", (error) => {
  console.error(error);
  process.exit(1);
});
connection.receiver("to", { delivery }, (message, { trace }) => from.send(message, { trace }));
connection.on("closed", () => from.drained().then(() => connection.close()));
