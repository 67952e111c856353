// One session: both of its legs, and its end.

/// The row that is shown; `null` while it is not known.
let shownSession = null;

/// The session whose id is the least above `id`: the list continues behind an id even if that session has ended.
function before(id) {
  return (BigInt(`0x${id}`) - 1n).toString(16).padStart(id.length, '0');
}

async function askSession() {
  const id = place.part;
  if (!id) return;
  try {
    const { sessions: [row] } = await ask(`api/sessions?limit=1&after=${before(id)}`);
    if (place.part !== id) return;
    if (row?.id === id) {
      shownSession = row;
      sessionEnded(null);
    } else {
      const end = await endOf(id);
      if (place.part !== id) return;
      sessionEnded(end);
    }
  } catch (problem) {
    setText($('session-said'), problem instanceof Problem ? problem.message : 'This is no session’s id.');
  }
  showSession();
}

/// What is known of the end of a session that is not in the table.
async function endOf(id) {
  const close = closeOf(id) ?? (await ask(`api/closes?session=${encodeURIComponent(id)}`)).closes[0];
  if (!close) return 'This session has ended. It is not among the last 1,000.';
  const more = [close.detail, close.reason && `the client was told “${close.reason}”`].filter(Boolean).join('; ');
  return `Ended at ${clock(new Date(close.at))} after ${span(close.duration)}: ${close.cause}, code ${close.code}, by the ${close.by}.${more ? ` ${capitalized(more)}.` : ''}`;
}

function sessionEnded(sentence) {
  setText($('session-said'), sentence ?? '');
  const hasEnded = sentence !== null;
  for (const field of $('close-session').elements) field.disabled = hasEnded;
}

function openSession(id) {
  const panel = $('session');
  const isOpen = id !== '';
  $('sessions').classList.toggle('with-panel', isOpen);
  panel.hidden = !isOpen;
  markChosen();
  if (panel.dataset.session === id) return;
  panel.dataset.session = id;
  shownSession = null;
  setText($('session-title'), id);
  setText($('close-said'), '');
  sessionEnded(null);
  showSession();
  endTail();
  if (!isOpen) return;
  panel.scrollTop = 0;
  // On a narrow screen it takes the place of the list, which had the focus.
  if (getComputedStyle($('sessions').querySelector('.list')).display === 'none') panel.focus();
  expire(askSession);
  if (closeOf(id)) showNoFrames(); else beginTail(id);
}

const facts = [
  ['Route', ({ route }) => route],
  ['Backend', ({ backend }) => backend],
  ['Origin', ({ origin }) => origin ?? 'none'],
  ['Subprotocol', ({ subprotocol }) => subprotocol ?? 'none'],
  ['Subject', ({ subject }) => subject ?? 'none'],
  ['Credential', ({ credential_expires_in_seconds: left }) => left === null || left === undefined ? 'does not expire' : left < 0 ? 'expired' : `expires in ${span(left)}`],
  ['Phase', ({ phase }) => phase],
  ['Age', ({ age_seconds: old, idle_seconds: idle }) => `${age(old)}, idle ${age(idle)}`],
];

const queueText = (queued, limit) => limit ? `${bytes(queued)} of ${bytes(limit)}` : bytes(queued);

/// What a leg has: its name, and the values for the client and for the backend. Sent and queued is what goes to it.
const legs = [
  ['Address', ({ client }) => client, ({ endpoint }) => endpoint ?? 'built in'],
  ['TLS', ({ tls }) => tls ?? 'none', ({ endpoint }) => endpoint ? (/^(wss|tls|https):/.test(endpoint) ? 'yes' : 'none') : '–'],
  ['RTT', ({ client_rtt_seconds: rtt }) => span(rtt), ({ backend_rtt_seconds: rtt }) => span(rtt)],
  ['Queued', (row) => queueText(row.queued_for_client, row.queue_limit), (row) => queueText(row.queued_for_backend, row.queue_limit)],
  ['Messages to it', (row) => number(row.messages_to_client), (row) => number(row.messages_to_backend)],
  ['Payload to it', (row) => bytes(row.bytes_to_client), (row) => bytes(row.bytes_to_backend)],
];

function buildSession() {
  for (const [name] of facts) $('session-facts').append(make('dt', {}, name), make('dd', {}, '–'));
  for (const [name] of legs) $('legs').tBodies[0].append(make('tr', {}, make('th', { scope: 'row' }, name), make('td', {}, '–'), make('td', {}, '–')));
}

function showSession() {
  const row = shownSession;
  const values = $('session-facts').querySelectorAll('dd');
  facts.forEach(([, value], index) => setText(values[index], row ? value(row) ?? '–' : '–'));
  legs.forEach(([, ofClient, ofBackend], index) => {
    const [, client, backend] = $('legs').tBodies[0].rows[index].children;
    setText(client, row ? ofClient(row) : '–');
    setText(backend, row ? ofBackend(row) ?? '–' : '–');
  });
}

async function closeSession(event) {
  event.preventDefault();
  const id = place.part;
  const order = { code: Number($('close-code').value) };
  if ($('close-reason').value) order.reason = $('close-reason').value;
  try {
    await ask(`api/sessions/${encodeURIComponent(id)}/close`, order);
    setText($('close-said'), '');
  } catch (problem) {
    setText($('close-said'), problem.message);
  }
  expire(askSession);
  expire(askSessions);
  pollDue();
}

function leaveSession() {
  const id = place.part;
  replacePlace('', sessionQuery());
  $('session-table').querySelector(`tr[data-session="${CSS.escape(id)}"] a`)?.focus();
}

function startSession() {
  buildSession();
  $('close-session').addEventListener('submit', closeSession);
  $('leave-session').addEventListener('click', leaveSession);
  on('close', (record) => {
    if (record.session !== place.part) return;
    expire(askSession);
    pollDue();
  });
}
