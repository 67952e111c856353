// Which view is open, the keys, and the start.

const views = ['overview', 'sessions', 'why', 'operate'];

/// Where the reader is, from the fragment: `#/VIEW/PART?QUERY`. The part is a session's id, or a panel of the overview.
let place = { view: 'overview', part: '', query: new URLSearchParams() };

function readPlace() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [view, part = ''] = path.split('/');
  return { view: views.includes(view) ? view : 'overview', part, query: new URLSearchParams(query) };
}

/// Changes the URL without a step in the browser's history: for what is typed.
function replacePlace(part, query) {
  const text = query.toString();
  history.replaceState(null, '', `#/${place.view}${part ? `/${part}` : ''}${text ? `?${text}` : ''}`);
  place = { view: place.view, part, query };
  openPlace(false);
}

function openPlace(isNew = true) {
  for (const view of views) $(view).hidden = view !== place.view;
  for (const link of document.querySelectorAll('nav a')) setAttribute(link, 'aria-current', link.hash === `#/${place.view}` ? 'page' : null);
  if (place.view === 'sessions') showFilters();
  openSession(place.view === 'sessions' ? place.part : '');
  if (!isNew) return;
  if (place.view === 'why') openWhy();
  if (place.view === 'overview') {
    showRates();
    if (known.backendsKnown) showBackends();
    if (place.part) $(place.part)?.scrollIntoView({ block: 'center' });
  }
  pollDue();
}

function moved() {
  if (!location.hash.startsWith('#/')) return;
  const old = place;
  place = readPlace();
  if (old.view !== place.view) {
    for (const each of polls) if (each.views.includes(place.view)) each.last = -Infinity;
    scrollTo(0, 0);
  }
  if (place.view === 'sessions' && old.query.toString() !== place.query.toString()) {
    table.afters = [null];
    expire(askSessions);
  }
  openPlace();
}

// Keys

const keys = {
  1: () => { location.hash = '/overview'; }, 2: () => { location.hash = '/sessions'; },
  3: () => { location.hash = '/why'; }, 4: () => { location.hash = '/operate'; },
  '/': focusFilter, '?': showKeys,
  j: () => moveInTable(1), k: () => moveInTable(-1),
  p: () => { if (!$('session').hidden) $('tail-pause').click(); },
  Escape: () => { if (place.view === 'sessions' && place.part) leaveSession(); },
};

function focusFilter() {
  if (place.view === 'why') return $('why-url').focus();
  if (place.view !== 'sessions') location.hash = '/sessions';
  // The view opens with the event of the new fragment.
  setTimeout(() => $('filter-route').focus());
}

function showKeys() {
  if (!$('keys').open) $('keys').showModal();
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector('dialog[open]')) return;
  const isField = event.target.matches('input, select, textarea');
  if (isField && event.key !== 'Escape') return;
  if (isField) return event.target.blur();
  if (!Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  keys[event.key]();
}

// Start

function start() {
  buildTiles();
  buildStrip();
  startBackends();
  startSessions();
  startSession();
  startTail();
  startWhy();
  startOperate();
  $('show-keys').addEventListener('click', showKeys);
  $('keys-done').addEventListener('click', () => $('keys').close());
  $('ended-done').addEventListener('click', () => $('ended').close());
  addEventListener('keydown', pressed);
  addEventListener('hashchange', moved);
  document.addEventListener('visibilitychange', pollDue);

  poll(views, 5, askStatus);
  poll(views, 5, askBackends);
  poll(['overview'], 30, askHistory);
  poll(['overview'], 2, askSlow);
  poll(['overview'], 60, askCloses);
  poll(['overview'], 60, askRefusals);
  poll(['overview'], 3, askRefusalsIfHeard);
  poll(views, 300, askCertificates);
  poll(['sessions'], 3, askSessions);
  poll(['sessions'], 2, askSession);
  poll(['operate'], 300, askConfiguration);

  place = readPlace();
  openPlace();
  listen();
  setInterval(() => {
    pollDue();
    showLive();
    if (place.view === 'overview') showCauses();
  }, 1000);
}

start();
