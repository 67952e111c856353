// Node's ws: sends every message to all who are connected.
const WebSocket = require('ws');

const server = new WebSocket.Server(
  { host: '127.0.0.1', port: 0, backlog: 4096, perMessageDeflate: false },
  () => console.log(`listening on ${server.address().port}`),
);

server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => {
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(data, { binary: isBinary });
    }
  });
});
