// Answers with how many requests its connection has carried. Closes idle connections after 5 s, as Node does unless it is told otherwise.
const http = require('http');

const server = http.createServer({ keepAliveTimeout: 5000 }, (request, response) => {
  request.resume();
  request.on('end', () => {
    request.socket.carried = (request.socket.carried ?? 0) + 1;
    response.end(String(request.socket.carried));
  });
});

server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
