// Sends every message back, with Node's `ws`. Prints its port.
const WebSocket = require('ws');

const server = new WebSocket.Server({ host: '127.0.0.1', port: 0, maxPayload: 64 * 1024 * 1024, perMessageDeflate: true });

server.on('connection', (ws) => {
  ws.on('error', () => {});  // a frame against the rules: `ws` has closed the connection
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
});
server.on('listening', () => console.log(`listening on ${server.address().port}`));
