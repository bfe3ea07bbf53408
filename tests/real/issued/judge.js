'use strict';
// judge.js CASES: real handshakes, and what X509Certificate says by itself. CASES: see issued.rs.
const fs = require('node:fs');
const net = require('node:net');
const tls = require('node:tls');
const { X509Certificate } = require('node:crypto');

const FIELDS = ['id', 'usage', 'name', 'chain', 'key', 'anchors', 'peer_chain', 'peer_key', 'peer_name'];

async function main() {
  for (const line of fs.readFileSync(process.argv[2], 'utf8').trimEnd().split('\n')) {
    const one = Object.fromEntries(line.split('\t').map((value, at) => [FIELDS[at], value]));
    let said;
    try {
      said = (await shakeHands(one)) || alone(one);
    } catch (problem) {
      said = `${problem.code}: ${problem.message}`;
    }
    console.log([one.id, said ? 'no' : 'ok', (said || '').replaceAll('\n', ' ')].join('\t'));
  }
}

// Whoever verifies is asked; null if nobody complains.
function shakeHands(one) {
  const ofServer = one.usage === 'server';
  const own = { cert: fs.readFileSync(one.chain), key: fs.readFileSync(one.key) };
  const peer = { cert: fs.readFileSync(one.peer_chain), key: fs.readFileSync(one.peer_key) };
  const ca = fs.readFileSync(one.anchors);
  const name = ofServer ? one.name : one.peer_name;
  return new Promise((resolve, reject) => {
    const server = tls.createServer(ofServer ? own : { ...peer, ca, requestCert: true, rejectUnauthorized: false });
    let client;
    const end = (problem) => {
      client.destroy();
      server.close(() => (problem ? reject(problem) : resolve(null)));
    };
    server.on('tlsClientError', end);
    server.on('secureConnection', (socket) => {
      socket.on('error', () => {});
      if (!ofServer) end(socket.authorized ? null : new Error(socket.authorizationError));
    });
    server.listen(0, '127.0.0.1', () => {
      client = tls.connect({
        host: '127.0.0.1',
        port: server.address().port,
        ca,
        ...(ofServer ? {} : own),
        servername: net.isIP(name) ? '' : name,
        checkServerIdentity: (_, certificate) => tls.checkServerIdentity(name, certificate),
      });
      client.on('error', (problem) => ofServer && end(problem));
      client.on('secureConnect', () => ofServer && end(null));
    });
  });
}

function alone({ usage, name, chain, key }) {
  const leaf = new X509Certificate(fs.readFileSync(chain));
  if (!leaf.checkPrivateKey(require('node:crypto').createPrivateKey(fs.readFileSync(key)))) return 'another key';
  if (usage !== 'server') return null;
  return (net.isIP(name) ? leaf.checkIP(name) : leaf.checkHost(name)) ? null : 'checkHost does not match';
}

main();
