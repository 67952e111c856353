// An echo of SockJS, its client, and a page that uses it.
const express = require('express');
const fs = require('fs');
const http = require('http');
const sockjs = require('sockjs');

const PAGE = `<!doctype html><meta charset="utf-8"><title>page</title><link rel="icon" href="data:,"><script src="/sockjs.js"></script>
<script>
  window.log = [];
  window.open_socket = (transport) => {
    const socket = window.socket = new SockJS('/echo', null, { transports: [transport] });
    socket.onopen = () => log.push({ what: 'open', transport: socket.transport });
    socket.onmessage = (event) => log.push({ what: 'message', data: event.data });
    socket.onclose = (event) => log.push({ what: 'close', code: event.code, reason: event.reason });
  };
</script>`;

const app = express();
app.get('/', (request, response) => response.send(PAGE));
app.get('/sockjs.js', (request, response) => response.type('js').send(fs.readFileSync(require.resolve('sockjs-client/dist/sockjs.js'))));
const server = http.createServer(app);
const echo = sockjs.createServer({ log: () => {} });
echo.on('connection', (connection) => connection.on('data', (message) => connection.write(message)));
echo.installHandlers(server, { prefix: '/echo' });

server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
