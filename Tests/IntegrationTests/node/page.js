// A page, what its script asks for, and its socket, on one port.
const express = require('express');
const http = require('http');
const WebSocket = require('ws');

const PAGE = `<!doctype html><meta charset="utf-8"><title>page</title><link rel="icon" href="data:,"><script src="/script.js"></script>`;
const SCRIPT = `
  window.log = [];
  const socket = new WebSocket(location.protocol.replace('http', 'ws') + '//' + location.host + '/socket');
  socket.onmessage = (event) => log.push({ what: 'message', data: event.data });
  socket.onclose = (event) => log.push({ what: 'close', code: event.code });
  window.upload = async (size) => (await fetch('/length', { method: 'POST', body: new Uint8Array(size) })).json();
`;

const app = express();
app.get('/', (request, response) => response.cookie('visitor', 'one').send(PAGE));
app.get('/script.js', (request, response) => response.type('js').send(SCRIPT));
app.post('/length', (request, response) => {
  let length = 0;
  request.on('data', (data) => { length += data.length; });
  request.on('end', () => response.json({ length, cookie: request.headers.cookie, protocol: request.headers['x-forwarded-proto'] }));
});
const server = http.createServer(app);
new WebSocket.Server({ server, path: '/socket' }).on('connection', (socket, request) => {
  socket.send(request.headers.cookie);
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
