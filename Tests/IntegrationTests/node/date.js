// Sends the date every second to who is connected.
const express = require('express');
const http = require('http');
const WebSocket = require('ws');

const app = express();
app.get('/', (request, response) => response.send('date'));
const server = http.createServer(app);
const wss = new WebSocket.Server({ server });

wss.on('connection', (ws) => {
  const timer = setInterval(() => ws.send(String(new Date())), 1000);
  ws.on('close', () => clearInterval(timer));
});

server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
