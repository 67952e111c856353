// Sends every message to all who are connected.
const express = require('express');
const http = require('http');
const WebSocket = require('ws');

const app = express();
app.get('/', (request, response) => response.send('chat'));
const server = http.createServer(app);
const wss = new WebSocket.Server({ server });

wss.on('connection', (ws) => {
  ws.on('message', (data, isBinary) => {
    wss.clients.forEach((client) => {
      if (client.readyState === WebSocket.OPEN) client.send(data, { binary: isBinary });
    });
  });
});

server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
