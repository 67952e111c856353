// The first screen: is something wrong, and what.

// Tiles

const tiles = [
  { name: 'Sessions', now: () => seconds.at(-1)?.sessions ?? known.status?.sessions, past: (bin) => bin?.sessions ?? null, show: number, unit: '' },
  { name: 'Opens', now: () => rateNow((each) => each.opens), past: (bin) => rate(bin, ({ opens }) => opens), show: short, unit: '/s' },
  { name: 'Closes', now: () => rateNow((each) => total(each.closes)), past: (bin) => rate(bin, ({ closes }) => total(closes)), show: short, unit: '/s' },
  { name: 'Refusals', now: () => rateNow((each) => total(each.refusals)), past: (bin) => rate(bin, ({ refusals }) => total(refusals)), show: short, unit: '/s' },
  { name: 'Messages', now: () => rateNow((each) => each.messages), past: (bin) => rate(bin, ({ messages }) => messages), show: short, unit: '/s' },
  { name: 'Payload', now: () => rateNow((each) => each.bytes), past: (bin) => rate(bin, ({ bytes }) => bytes), show: bytes, unit: '/s' },
];

function buildTiles() {
  for (const tile of tiles) {
    tile.most = make('span', { title: 'The most in 15 minutes' });
    tile.value = make('span', {}, '–');
    tile.area = make('path', { class: 'area' });
    tile.line = make('path', { class: 'line' });
    const chart = make('svg', { viewBox: `0 0 ${binCount - 1} 34`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, tile.area, tile.line);
    tile.element = make(
      'div', { class: 'tile', 'data-rate': tile.name.toLowerCase() },
      make('div', { class: 'label' }, make('span', {}, tile.name), tile.most),
      make('div', { class: 'value' }, tile.value, make('small', {}, tile.unit)), chart);
    $('tiles').append(tile.element);
  }
}

function showRates() {
  showSessionCount();
  if (place.view !== 'overview') return;
  const past = timeline();
  for (const tile of tiles) {
    const now = tile.now();
    setText(tile.value, now === null || now === undefined ? '–' : tile.show(now));
    const values = past.map(tile.past);
    const most = Math.max(...values.filter((value) => value !== null), 0);
    setText(tile.most, most > 0 ? `max ${tile.show(most)}` : '');
    drawLine(tile, values, most);
  }
  $('tiles').children[1].classList.toggle('alert', storm() !== null);
  showStrip();
  showVerdict();
}

function showSessionCount() {
  const sessions = tiles[0].now();
  setText($('session-count'), sessions === undefined ? '–' : number(sessions));
}

/// Draws over what is known; a gap in it ends the line.
function drawLine(tile, values, most) {
  const height = (value) => 32 - (most > 0 ? value / most * 29 : 0);
  let line = '';
  let area = '';
  let start = null;
  values.forEach((value, index) => {
    if (value === null) return;
    const begins = index === 0 || values[index - 1] === null;
    if (begins) start = index;
    // A value between gaps is a dot.
    line += `${begins ? `M${index} ${height(value).toFixed(1)}` : ''}L${index} ${height(value).toFixed(1)}`;
    area += `${begins ? `M${index} 34L` : 'L'}${index} ${height(value).toFixed(1)}`;
    if (index === values.length - 1 || values[index + 1] === null) area += `L${index} 34L${start} 34Z`;
  });
  setAttribute(tile.line, 'd', line);
  setAttribute(tile.area, 'd', area);
}

/// Far more opens than usual: `null`, or how many there are a second, and how many there usually are.
function storm() {
  const now = rateNow(({ opens }) => opens);
  const past = timeline().map((bin) => rate(bin, ({ opens }) => opens)).filter((value) => value !== null).sort((a, b) => a - b);
  if (now === null || past.length < 6) return null;
  const usual = past[past.length >> 1];
  return now > 20 && now > 5 * Math.max(usual, 1) ? { now, usual } : null;
}

// The verdict

/// What is said in one sentence, and how bad it is: good, warn, bad, down or unknown.
function verdict() {
  const { status, statusProblem } = known;
  if (statusProblem?.status === 0) return ['down', 'The gateway does not answer. What is shown here is old.'];
  if (statusProblem) return ['bad', statusProblem.message];
  if (status === null || !known.backendsKnown) return ['unknown', 'Asking the gateway …'];
  const endpoints = known.backends.flatMap((backend) => backend.endpoints);
  const unusable = endpoints.filter(({ state }) => state === 'down').length;
  const without = known.backends.filter(hasNoneLeft);
  if (endpoints.length > 0 && unusable === endpoints.length) {
    return ['down', `Everything is down: ${endpoints.length === 1 ? 'the only endpoint does not answer' : `none of ${number(endpoints.length)} endpoints is up`}.`];
  }
  if (status.draining) return ['warn', drainSentence(status)];
  const failures = recentFailures();
  const [level, sentence] = unusable > 0 ? downSentence(endpoints, unusable, without) : upSentence(endpoints);
  if (!failures) return [level, sentence];
  // What clients meet says more than what is known of the endpoints.
  return [level === 'bad' ? 'bad' : failures.level, unusable > 0 || endpoints.some(isUnchecked) ? `${failures.sentence} ${sentence}` : failures.sentence];
}

function downSentence(endpoints, unusable, without) {
  const down = `${number(unusable)} of ${number(endpoints.length)} endpoints ${unusable === 1 ? 'is' : 'are'} down.`;
  if (without.length === 0) return ['warn', `${down} Every backend has one left.`];
  const names = without.slice(0, 3).map(({ name }) => name).join(', ') + (without.length > 3 ? ', …' : '');
  return ['bad', `${down} ${count(without.length, 'backend')} ${without.length === 1 ? 'has' : 'have'} none left: ${names}.`];
}

/// Of endpoints that none is known to be down of: what is checked is up; of the rest nothing is known.
function upSentence(endpoints) {
  if (endpoints.length === 0) return ['good', 'The gateway serves. No backend has endpoints to check.'];
  const unchecked = endpoints.filter(isUnchecked).length;
  const checked = endpoints.length - unchecked;
  if (unchecked === 0) return ['good', endpoints.length === 1 ? 'The endpoint is up.' : endpoints.length === 2 ? 'Both endpoints are up.' : `All ${number(endpoints.length)} endpoints are up.`];
  if (checked === 0) return ['unknown', `${count(endpoints.length, 'endpoint')}, ${endpoints.length === 1 ? 'not' : 'none is'} checked: set \`health\`.`];
  return ['unknown', `${count(checked, 'endpoint')} ${checked === 1 ? 'is' : 'are'} up, ${number(unchecked)} ${unchecked === 1 ? 'is' : 'are'} not checked: set \`health\`.`];
}

/// Statuses and causes of backends that fail, whatever is known of them.
const failureStatuses = ['502', '503', '504'];
const failureCauses = ['backend-gone', 'backend-stalled', 'backend-ping-timeout'];

/// What clients met in the last minute because a backend failed: a sentence, and how bad it is; `null`: nothing.
function recentFailures() {
  const minute = timeline().slice(-60 / step).filter((bin) => bin !== null);
  const sum = (name, key) => minute.reduce((all, bin) => all + (bin[name][key] ?? 0), 0);
  const refused = failureStatuses.map((status) => [sum('refusals', status), status]).filter(([value]) => value > 0);
  const closed = failureCauses.map((cause) => [sum('closes', cause), cause]).filter(([value]) => value > 0);
  const parts = [
    ...refused.map(([value, status]) => `${count(value, 'client')} got ${status}`),
    ...closed.map(([value, cause]) => `${count(value, 'session')} ended with ${cause}`),
  ];
  if (parts.length === 0) return null;
  const isShut = refused.length > 0 && minute.every(({ opens }) => opens === 0);
  return { level: isShut ? 'bad' : 'warn', sentence: `In the last minute ${parts.join(', ')}${isShut ? ', and no session opened' : ''}.` };
}

const hasNoneLeft = ({ endpoints }) => endpoints.length > 0 && endpoints.every(({ state }) => state === 'down');

function drainSentence({ sessions, drain_ends_in_seconds: ends }) {
  return `Draining: ${count(sessions, 'session')} left${ends === null || ends === undefined ? '' : `, ends in ${span(Math.round(ends))}`}.`;
}

/// What else is worth a look: a text, and the panel that has more.
function notices() {
  const found = [];
  const { status } = known;
  const rush = storm();
  if (rush) found.push([`Reconnect storm: ${short(rush.now)} opens/s, usually ${short(rush.usual)}`, 'closes']);
  const closing = slow.filter(({ left }) => left !== null && left < 60).length;
  if (closing > 0) found.push([`${count(closing, 'slow consumer')} full within a minute`, 'slow']);
  for (const certificate of known.certificates) {
    if (certificate.expires_in_seconds < 14 * 86_400) found.push([certificateSentence(certificate), 'certificates']);
  }
  for (const { name, share } of limitShares()) if (share > 0.85) found.push([`${name} at ${Math.round(share * 100)} % of the limit`, 'limits']);
  if (status?.last_reload?.mistakes?.length > 0) found.push(['The last reload was refused', 'last-reload']);
  return found;
}

function certificateSentence({ names, expires_in_seconds: left }) {
  const name = names[0] ?? 'A certificate';
  return left < 0 ? `${name}: certificate expired ${span(-left)} ago` : `${name}: certificate ends in ${span(left)}`;
}

/// The most sessions seen in this drain: its progress is measured by them.
let drainBegan = 0;

function showVerdict() {
  const [level, sentence] = verdict();
  $('verdict').dataset.level = level;
  if ($('sentence').textContent !== withoutTicks(sentence)) $('sentence').replaceChildren(...coded(sentence));
  const signs = { down: '✖ ', bad: '✖ ', warn: '▲ ' };
  document.title = level === 'good' || level === 'unknown' ? 'Gateway' : `${signs[level]}${withoutTicks(sentence)} – Gateway`;
  const list = notices().slice(0, 6);
  showList($('notices'), list, {
    key: ([text]) => text.replace(/[\d.,]+/g, ""), create: () => make('li', {}, make('a', {})),
    update: (item, [text, panel]) => {
      setText(item.firstChild, text);
      setAttribute(item.firstChild, 'href', `#/overview/${panel}`);
    },
  });
  showDrain();
}

function showDrain() {
  const { draining = false, sessions = 0 } = known.status ?? {};
  $('drain-progress').hidden = !draining;
  drainBegan = draining ? Math.max(drainBegan, sessions) : 0;
  $('drain-progress').firstElementChild.style.width = `${drainBegan > 0 ? (1 - sessions / drainBegan) * 100 : 100}%`;
}

// Status, limits, certificates

function limitShares() {
  const { status } = known;
  if (!status) return [];
  return [
    { name: 'Memory', used: status.memory_bytes, limit: status.memory_limit_bytes, show: bytes, more: 'queued and assembled, in all sessions' },
    { name: 'Open files', used: status.open_files, limit: status.open_files_limit, show: number, more: 'about one for each side of a session' },
  ].filter(({ used, limit }) => used !== null && used !== undefined && limit > 0).map((each) => ({ ...each, share: each.used / each.limit }));
}

function showStatus() {
  const { status } = known;
  if (status) {
    setText($('process'), `${status.version} · up ${age(status.uptime_seconds)}`);
    const isReadOnly = status.read_only === true;
    $('read-only').hidden = !isReadOnly;
    for (const element of document.querySelectorAll('.changes')) element.hidden = isReadOnly;
  }
  showList($('limits').querySelector('ul'), limitShares(), {
    key: ({ name }) => name,
    create: ({ name, more }) => make('li', {}, make('div', { class: 'metered' }, make('span', {}, name), make('span')), meter(name), make('small', {}, more)),
    update: (item, { used, limit, show, share }) => {
      setText(item.querySelector('.metered').lastChild, `${show(used)} of ${show(limit)}`);
      setMeter(item.querySelector('.meter'), share, share > 0.95 ? 'bad' : share > 0.85 ? 'warn' : null);
    },
  });
  showLastReload($('last-reload').querySelector('.said'), $('last-reload').querySelector('.mistakes'));
  showSessionCount();
  showRates();
  showOperate();
  showVerdict();
}

function showLastReload(said, mistakes) {
  const last = known.status?.last_reload;
  setText(said, last?.at ? `Last reload at ${clock(new Date(last.at))}: ${last.result}.` : 'Not reloaded since the start.');
  showList(mistakes, last?.mistakes ?? [], { key: (text) => text, create: (text) => make('li', {}, text), update: () => {} });
}

async function askCertificates() {
  const panel = $('certificates');
  try {
    known.certificates = (await ask('api/certificates')).certificates;
    showProblem(panel, null);
  } catch (problem) {
    return showProblem(panel, problem);
  }
  const sorted = [...known.certificates].sort((a, b) => a.expires_in_seconds - b.expires_in_seconds);
  panel.querySelector('.empty').hidden = sorted.length > 0;
  showList(panel.querySelector('ul'), sorted.slice(0, 20), {
    key: ({ listener, names, kind }) => `${listener} ${names.join()} ${kind}`,
    create: ({ names, listener, issuer, kind }) => make(
      'li', {}, make('div', { class: 'split' }, make('span', {}, names.join(', ') || 'no name'), make('span')),
      make('small', {}, [listener, kind, issuer].filter(Boolean).join(' · '))),
    update: (item, { not_after: end, expires_in_seconds: left }) => {
      const said = item.firstChild.lastChild;
      setText(said, left < 0 ? 'expired' : `${span(left)} left`);
      said.title = `until ${day(new Date(end))}`;
      said.className = left < 86_400 ? 'bad' : left < 14 * 86_400 ? 'warn' : '';
    },
  });
  showVerdict();
}
