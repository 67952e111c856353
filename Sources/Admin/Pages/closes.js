// Who really closed: over time, and with which cause and code.

/// Who ended a session, by its cause. Only of the four rules does it depend on the session: either side can break one.
const authors = {
  'client-closed': 'client', 'client-gone': 'client', 'client-stalled': 'client', 'client-ping-timeout': 'client',
  'backend-closed': 'backend', 'backend-gone': 'backend', 'backend-stalled': 'backend', 'backend-ping-timeout': 'backend',
  'protocol-error': 'rules', 'invalid-data': 'rules', 'message-too-big': 'rules', 'too-many-fragments': 'rules',
};
const authorOf = (cause) => authors[cause] ?? 'gateway';
const authorNames = { client: 'client', backend: 'backend', gateway: 'gateway', rules: 'a side broke a rule' };
const mostCloses = 1000;

/// The newest first, as the gateway lists them.
let closes = [];
/// Those that a list was opened with.
let listed = [];

/// How a session ended, if that is known here.
const closeOf = (id) => closes.find(({ session }) => session === id) ?? listed.find(({ session }) => session === id);

async function askCloses() {
  try {
    closes = (await ask('api/closes')).closes;
    showProblem($('closes'), null);
  } catch (problem) {
    return showProblem($('closes'), problem);
  }
  showCauses();
}

function heardClose(record) {
  closes.unshift(record);
  if (closes.length > mostCloses + 200) closes.length = mostCloses;
}

// The strip

const strip = { at: null, bars: [] };

function buildStrip() {
  for (const [name, text] of Object.entries(authorNames)) {
    $('legend').append(make('li', {}, make('i', { class: name }), text));
  }
  const chart = make('svg', { viewBox: `0 0 ${binCount * 10} 100`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  for (let index = 0; index < binCount; index += 1) {
    const bar = Object.fromEntries(Object.keys(authorNames).map((name) => [name, make('rect', { class: name, x: index * 10 + 1, width: 8 })]));
    strip.bars.push(bar);
    chart.append(...Object.values(bar));
  }
  strip.cursor = make('rect', { class: 'cursor', y: 0, width: 10, height: 100 });
  strip.most = make('span', { class: 'most' });
  chart.append(strip.cursor);
  $('strip').append(chart, strip.most);
  $('strip').addEventListener('pointermove', (event) => {
    const box = $('strip').getBoundingClientRect();
    moveCursor(Math.floor((event.clientX - box.left) / box.width * binCount));
  });
  $('strip').addEventListener('pointerleave', () => { if (document.activeElement !== $('strip')) moveCursor(null); });
  $('strip').addEventListener('focus', () => moveCursor(strip.at ?? binCount - 1));
  $('strip').addEventListener('blur', () => moveCursor(null));
  $('strip').addEventListener('keydown', (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -6, PageDown: 6, Home: -binCount, End: binCount };
    if (!(event.key in steps)) return;
    event.preventDefault();
    moveCursor((strip.at ?? binCount) + steps[event.key]);
  });
}

function byAuthor(causes) {
  const counts = { client: 0, backend: 0, gateway: 0, rules: 0 };
  for (const [cause, value] of Object.entries(causes)) counts[authorOf(cause)] += value;
  return counts;
}

function showStrip() {
  const past = timeline();
  const most = Math.max(...past.map((bin) => total(bin?.closes)), 1);
  setText(strip.most, `most: ${number(most)} in 10 s`);
  strip.most.hidden = past.every((bin) => total(bin?.closes) === 0);
  past.forEach((bin, index) => {
    const counts = byAuthor(bin?.closes ?? {});
    let top = 100;
    for (const [name, bar] of Object.entries(strip.bars[index])) {
      // What there is stays visible beside a storm.
      const height = counts[name] > 0 ? Math.max(counts[name] / most * 92, 2) : 0;
      top -= height;
      setAttribute(bar, 'y', top.toFixed(1));
      setAttribute(bar, 'height', height.toFixed(1));
    }
  });
  describeBin(past);
}

function moveCursor(index) {
  strip.at = index === null ? null : Math.max(0, Math.min(binCount - 1, index));
  setAttribute($('strip'), 'data-at', strip.at);
  if (strip.at !== null) setAttribute(strip.cursor, 'x', strip.at * 10);
  describeBin(timeline());
}

/// Says what is under the cursor, else what the whole strip has.
function describeBin(past) {
  const chosen = strip.at === null ? past : [past[strip.at]];
  const causes = {};
  for (const bin of chosen) for (const [cause, value] of Object.entries(bin?.closes ?? {})) causes[cause] = (causes[cause] ?? 0) + value;
  const begin = beginOf(newestBin() - binCount + 1 + (strip.at ?? 0));
  const when = strip.at === null ? 'In 15 minutes' : `${clock(new Date(begin))} to ${clock(new Date(begin + step * 1000))}`;
  const parts = Object.entries(causes).sort((a, b) => b[1] - a[1]).map(([cause, value]) => `${cause} ${number(value)}`);
  const text = `${when}: ${count(total(causes), 'close')}${parts.length > 0 ? ` – ${parts.join(', ')}${codesIn(begin)}` : ''}.`;
  setText($('strip-said'), text);
  if (strip.at === null) return;
  setAttribute($('strip'), 'aria-valuenow', strip.at);
  setAttribute($('strip'), 'aria-valuetext', text);
}

/// The codes of the listed closes in one bin.
function codesIn(begin) {
  if (strip.at === null) return '';
  const codes = new Set();
  for (const { at, code } of closes) {
    const time = Date.parse(at);
    if (time >= begin && time < begin + step * 1000) codes.add(code);
  }
  return codes.size > 0 ? `; codes ${[...codes].sort().join(', ')}` : '';
}

// The table

function showCauses() {
  const groups = new Map();
  for (const { by, cause, code, at } of closes.slice(0, mostCloses)) {
    const key = `${by} ${cause} ${code}`;
    const group = groups.get(key) ?? { key, by, cause, code, count: 0, at };
    group.count += 1;
    groups.set(key, group);
  }
  const panel = $('closes');
  panel.querySelector('.empty').hidden = groups.size > 0;
  showList(panel.querySelector('tbody'), [...groups.values()].sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1)), {
    key: (group) => group.key, holds: isRead(panel.querySelector('.body')),
    create: ({ by, cause, code }) => make(
      'tr', {}, make('td', {}, make('i', { class: `by ${by}`, 'aria-hidden': 'true' }), by ?? '–'),
      make('td', {}, make('button', { type: 'button', class: 'link', title: causeMeanings[cause], onclick: () => openEnded({ cause, code }) }, cause)),
      make('td', { title: meaning(code) }, String(code)), make('td', { class: 'number' }), make('td', { class: 'number' })),
    update: (row, group) => {
      setText(row.children[3], number(group.count));
      setText(row.children[4], clock(new Date(group.at)));
    },
  });
}

// The list of those that ended in one way, or of one client

/// What each cause means, and where to look.
const causeMeanings = {
  'client-closed': 'The client closed, with this code: that is the usual end.',
  'backend-closed': 'The backend closed, with this code: its log says why.',
  'client-gone': 'The client’s connection ended without a Close: a closed page, a lost network, a killed program.',
  'client-stalled': 'The client accepted no bytes any more: a lost network, or a program that hangs.',
  'client-ping-timeout': 'The client answered no ping: a lost network, or a device that sleeps.',
  'backend-gone': 'The backend’s connection ended without a Close: it crashed, was restarted, or its network is gone.',
  'backend-stalled': 'The backend accepted no bytes any more: it hangs, or is overloaded.',
  'backend-ping-timeout': 'The backend answered no ping: it hangs, or its network is gone.',
  'protocol-error': 'One side sent what WebSocket does not allow.',
  'invalid-data': 'One side sent a text that is not UTF-8, or compressed data that is broken.',
  'message-too-big': 'A message was longer than limits.message, or than a backend allows.',
  'too-many-fragments': 'A message came in more fragments than limits.fragments.',
  'rate-limit': 'The client sent more than limits.messages-per-second or bytes-per-second allow.',
  'slow-consumer': 'The client read too slowly: more waited for it than limits.queue.',
  policy: 'The client did what its route does not allow.',
  'credential-expired': 'The client’s credential has expired: it has to sign in again.',
  'credential-revoked': 'An operator closed the sessions of this subject.',
  memory: 'Memory was scarce, and this session made no progress.',
  'idle-timeout': 'No message came within timeouts.idle.',
  'session-timeout': 'It was as long as timeouts.session allows.',
  drain: 'A drain: of the gateway, of its backend or of its endpoint.',
  reload: 'A reload changed its route, or what it was let in by.',
  admin: 'An operator closed it.',
  'internal-error': 'The gateway failed: its log has more.',
};

const mostEnded = 100;

/// Lists the ends for which each filter of `/api/closes` holds.
async function openEnded(filters) {
  const { cause } = filters;
  setText($('ended-title'), cause ? [cause, filters.code === 'none' ? 'without a Close' : filters.code].filter(Boolean).join(', ') : 'Sessions that have ended');
  setText($('ended-meaning'), causeMeanings[cause]);
  setText($('ended-said'), 'Asking …');
  const rows = $('ended').querySelector('tbody');
  rows.replaceChildren();
  if (!$('ended').open) $('ended').showModal();
  try {
    const { closes: found } = await ask(`api/closes?${new URLSearchParams(filters)}`);
    listed = found;
    const those = found.length > mostEnded ? `the last ${mostEnded} of ${number(found.length)}` : count(found.length, 'session');
    setText($('ended-said'), `${capitalized(those)}, the newest first. The last ${number(mostCloses)} of all are kept.`);
    rows.replaceChildren(...found.slice(0, mostEnded).map((close) => endedRow(close, cause !== undefined)));
  } catch (problem) {
    showFailure($('ended-said'), problem);
  }
}

function endedRow({ at, session, route, endpoint, client, cause, code, by, detail, reason, duration }, namesCause) {
  const moment = new Date(at);
  const more = [namesCause ? null : `${cause}, ${code}, by the ${by}`, detail, reason && `told the client “${reason}”`].filter(Boolean).join('; ');
  return make(
    'tr', {},
    cell('', 'Ended', make('time', { datetime: at, title: day(moment) }, clock(moment))),
    cell('full', 'Session', make('a', { class: 'mono', href: `#/sessions/${session}`, onclick: () => $('ended').close() }, session)),
    cell('', 'Route', route), cell('full', 'Endpoint', make('span', {}, ...breakable(endpoint ?? 'built in'))), cell('', 'Client', client),
    cell('number', 'Lasted', span(duration)), cell('full', 'More', more || '–'));
}

on('close', heardClose);
for (const event of ['connected', 'skipped']) on(event, () => expire(askCloses));
