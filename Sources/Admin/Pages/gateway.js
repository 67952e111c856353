// What is asked of the gateway, and what it tells by itself.

/// An answer that is an error, or none. `message` is for the reader, with the cure where there is one.
class Problem extends Error {
  constructor(message, status = 0, content = {}) {
    super(message);
    this.status = status;
    this.content = content;
  }
}

/// Asks, and returns the JSON of the answer. With a body it is a POST.
async function ask(path, body) {
  const options = { signal: AbortSignal.timeout(10_000) };
  if (body !== undefined) Object.assign(options, { method: 'POST', body: JSON.stringify(body) });
  let answer;
  let text;
  try {
    answer = await fetch(path, options);
    text = await answer.text();
  } catch {
    throw new Problem('The gateway does not answer.');
  }
  const content = parsed(text);
  if (answer.ok) return content ?? {};
  const said = content?.error ?? text.trim();
  throw new Problem(cures[answer.status]?.(said) ?? `${said || 'Refused'} (${answer.status})`, answer.status, content ?? {});
}

const cures = {
  401: () => 'The admin address asks for a password: load this page again.',
  403: (said) => `${said} (403)`,
  421: () => 'The gateway does not answer to this name: add it to admin.hosts.',
};

function parsed(text) {
  try { return JSON.parse(text); } catch { return null; }
}

/// The address of a WebSocket of the admin address.
function socketURL(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  return url.href;
}

// Events

/// By the name of an event, what is called with each.
/// Besides those of the gateway there are `connected` and `lost`.
const listeners = { summary: [], close: [], refused: [], health: [], reload: [], drain: [], admin: [], skipped: [], connected: [], lost: [] };
const on = (event, call) => listeners[event].push(call);
const tell = (event, record) => { for (const call of listeners[event] ?? []) call(record); };

const live = { state: 'connecting', wait: 500, heard: performance.now() };

/// Connects, and again whenever it is lost: after half a second, then twice as long each time, up to 8 s.
function listen() {
  const socket = new WebSocket(socketURL('api/events'));
  socket.onopen = () => {
    live.wait = 500;
    live.heard = performance.now();
    setLive('live');
    tell('connected');
  };
  socket.onmessage = ({ data }) => {
    live.heard = performance.now();
    const record = parsed(data);
    if (record) tell(record.event, record);
  };
  socket.onclose = () => {
    setLive('lost');
    tell('lost');
    setTimeout(listen, live.wait);
    live.wait = Math.min(8000, live.wait * 2);
  };
}

function setLive(state) {
  live.state = state;
  $('live').dataset.state = state;
  showLive();
}

function showLive() {
  const silence = Math.round((performance.now() - live.heard) / 1000);
  setText($('live'), live.state === 'live' ? 'live' : live.state === 'lost' ? `no events for ${silence} s` : 'connecting');
}

// Polling: only what is looked at

/// Each is asked for every so many seconds while its view is shown, and at once when the view opens.
const polls = [];
const poll = (views, seconds, ask) => polls.push({ views, seconds, ask, last: -Infinity, isAsking: false });

function pollDue() {
  if (document.hidden) return;
  const now = performance.now() / 1000;
  for (const each of polls) {
    if (each.isAsking || !each.views.includes(place.view) || now - each.last < each.seconds) continue;
    each.isAsking = true;
    each.last = now;
    each.ask().finally(() => { each.isAsking = false; });
  }
}

/// Asks again at the next turn, whatever was asked lately.
function expire(ask) {
  for (const each of polls) if (each.ask === ask) each.last = -Infinity;
}

// What was learnt last

const known = {
  status: null, statusProblem: null, backends: [], backendsKnown: false, certificates: [],
};

async function askStatus() {
  try {
    known.status = await ask('api/status');
    known.statusProblem = null;
  } catch (problem) {
    known.statusProblem = problem;
  }
  showStatus();
}
