// A Modbus device on the port that is named: registers hold ten times their address until they are written.
const { ServerTCP } = require('modbus-serial');

const registers = new Map();
const device = new ServerTCP(
  {
    getHoldingRegister: (address) => registers.get(address) ?? address * 10,
    setRegister: (address, value) => void registers.set(address, value),
    getCoil: (address) => address % 2 === 1,
  },
  { host: '127.0.0.1', port: Number(process.argv[2]), unitID: 1 },
);
device.on('initialized', () => console.log('the device listens'));
