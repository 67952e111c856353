// Sessions of which one side reads too slowly, and how long that can go on; and requests that were refused.

const mostSlow = 8;
/// By the id of a session, what waited for it at the last poll, and how fast that grows.
const growths = new Map();
/// The rows that are shown: the session's row, and what was measured.
let slow = [];

async function askSlow() {
  let rows;
  try {
    rows = (await ask(`api/sessions?sort=-queue&limit=${mostSlow}`)).sessions;
    showProblem($('slow'), null);
  } catch (problem) {
    return showProblem($('slow'), problem);
  }
  const now = performance.now() / 1000;
  slow = rows.map((row) => measured(row, now)).filter(({ share }) => share >= 0.01);
  for (const id of growths.keys()) if (!slow.some(({ row }) => row.id === id)) growths.delete(id);
  showSlow();
}

/// The longer queue of a session, how fast it grows (bytes a second, smoothed) and when its limit is reached (`null`: not at this rate).
function measured(row, now) {
  const side = row.queued_for_client >= row.queued_for_backend ? 'client' : 'backend';
  const queue = Math.max(row.queued_for_client, row.queued_for_backend);
  const before = growths.get(row.id);
  let growth = null;
  if (before && before.side === side && now > before.now) {
    const latest = (queue - before.queue) / (now - before.now);
    growth = before.growth === null ? latest : 0.5 * before.growth + 0.5 * latest;
  }
  growths.set(row.id, { side, queue, now, growth });
  const left = growth !== null && growth > 1 ? Math.max(0, row.queue_limit - queue) / growth : null;
  return { row, side, queue, growth, left, share: queue / row.queue_limit };
}

/// What comes of it. A member of a room is closed when its queue is full; in a relay the other side has to wait.
function outlook({ row, side, growth, left, share }) {
  const isRoom = known.backends.find(({ name }) => name === row.backend)?.kind === 'broadcast';
  const other = side === 'client' ? 'backend' : 'client';
  if (share >= 0.97 && !isRoom) return ['bad', `full: the ${other} waits`];
  if (growth === null) return ['', 'measuring'];
  if (left === null) return growth < -1 ? ['', 'it catches up'] : ['', 'no growth'];
  const level = left < 60 ? 'bad' : left < 600 ? 'warn' : '';
  return [level, isRoom ? `closed (1013) in ${span(left)}` : `full in ${span(left)}`];
}

function showSlow() {
  const panel = $('slow');
  panel.querySelector('.empty').hidden = slow.length > 0;
  showList(panel.querySelector('tbody'), slow, {
    key: ({ row }) => row.id, holds: isRead(panel),
    create: ({ row }) => make(
      'tr', { 'data-session': row.id },
      make('td', { class: 'full' }, make('span', {}, make('a', { class: 'mono', href: `#/sessions/${row.id}` }, row.id), make('small', {}, row.route))),
      make('td', {}, make('span', {}, ...breakable(row.client), make('small'))),
      make('td', { class: 'full' }, make('div', { class: 'grow' }, make('div', { class: 'metered' }), meter('Queue'))),
      cell('number', 'Growth'), cell('full', 'Outlook', make('span'))),
    update: (element, item) => {
      const [, client, queue, growth, end] = element.children;
      const [level, text] = outlook(item);
      setText(client.querySelector('small'), `${item.side} reads slowly`);
      setText(queue.querySelector('.metered'), `${bytes(item.queue)} of ${bytes(item.row.queue_limit)}`);
      setMeter(queue.querySelector('.meter'), item.share, item.share > 0.9 ? 'bad' : item.share > 0.5 ? 'warn' : null);
      setText(growth, item.growth === null ? '–' : `${item.growth < 0 ? '−' : '+'}${bytes(Math.abs(item.growth))}/s`);
      setText(end.firstChild, text);
      end.firstChild.className = level;
    },
  });
}

// Refused

const mostRefusals = 30;

async function askRefusals() {
  let refusals;
  try {
    ({ refusals } = await ask('api/refusals'));
    showProblem($('refusals'), null);
  } catch (problem) {
    return showProblem($('refusals'), problem);
  }
  const groups = new Map();
  for (const refusal of refusals) {
    const key = [refusal.status, refusal.host, refusal.path, refusal.origin, refusal.reason].join('\n');
    const group = groups.get(key);
    if (group) group.count += 1; else groups.set(key, { ...refusal, key, count: 1 });
  }
  showRefusals([...groups.values()].slice(0, mostRefusals));
}

/// The URL that was asked for; there is one only where a whole request came. A refusal does not say whether it came by TLS: the listeners do.
function refusedURL({ host, path }) {
  const isSecure = (known.status?.listeners ?? []).some((listener) => /^(wss|https):/.test(listener));
  return `${isSecure ? 'wss' : 'ws'}://${host ?? 'localhost'}${path}`;
}

function whyLink(refusal) {
  const question = new URLSearchParams({ url: refusedURL(refusal) });
  if (refusal.origin) question.set('origin', refusal.origin);
  if (refusal.client) question.set('client', refusal.client.replace(/^\[|\](:\d+)?$|(?<=^[\d.]+):\d+$/g, ''));
  return `#/why?${question}`;
}

function showRefusals(groups) {
  const panel = $('refusals');
  panel.querySelector('.empty').hidden = groups.length > 0;
  showList(panel.querySelector('ul'), groups, {
    key: (group) => group.key, holds: isRead(panel),
    create: (group) => make(
      'li', {}, make('span', { class: 'status' }, String(group.status ?? '–')), make('span', { class: 'reason' }, group.reason ?? ''),
      make('span', { class: 'times' }),
      make('span', { class: 'where' }, `${group.host ?? ''}${group.path ?? ''}`),
      make('span', { class: 'why' }, group.path ? make('a', { href: '#/why' }, 'Why not?') : '')),
    update: (item, group) => {
      setText(item.children[2], `${group.count > 1 ? `${number(group.count)} × · ` : ''}${clock(new Date(group.at))}`);
      if (group.path) setAttribute(item.querySelector('a'), 'href', whyLink(group));
    },
  });
}

let refusalsHeard = 0;
on('refused', () => { refusalsHeard += 1; });
on('connected', () => expire(askRefusals));

/// In a storm of refusals they are read again every few seconds, not for each.
function askRefusalsIfHeard() {
  if (refusalsHeard === 0) return Promise.resolve();
  refusalsHeard = 0;
  return askRefusals();
}
