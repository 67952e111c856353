// Sends every message back to who sent it.
const express = require('express');
const http = require('http');
const WebSocket = require('ws');

const app = express();
app.get('/', (request, response) => response.send('echo'));
const server = http.createServer(app);
const wss = new WebSocket.Server({ server, maxPayload: 64 * 1024 * 1024 });

wss.on('connection', (ws) => {
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
});

server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
