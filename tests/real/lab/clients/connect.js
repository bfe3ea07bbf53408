// connect.js HOST PORT: a verified handshake with Node's defaults.
'use strict';

const tls = require('node:tls');

const [host, port] = process.argv.slice(2);
const socket = tls.connect({ host, port: Number(port), servername: host, timeout: 20000 }, () => {
  console.log('ok');
  socket.destroy();
});
const fail = (why) => {
  console.error(why);
  process.exit(1);
};
socket.on('error', (error) => fail(error.message));
socket.on('timeout', () => fail('timed out'));
