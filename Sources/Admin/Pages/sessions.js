// The table of sessions: filtered, sorted and paged by the gateway, never more than one page here.

const pageSize = 50;
const filterNames = ['route', 'backend', 'endpoint', 'client', 'subject'];

const table = {
  /// What `after` was for each page up to this one; the first has none.
  afters: [null],
  next: null, rows: [], total: 0,
  /// What the rows were asked with.
  asked: '',
  /// The reader has asked for what is newer.
  mayMove: true,
};

/// The filters that are set, and the order, as they are in this page's URL.
function sessionQuery() {
  const query = new URLSearchParams();
  for (const name of [...filterNames, 'sort']) if (place.query.get(name)) query.set(name, place.query.get(name));
  return query;
}

function filters() {
  return Object.fromEntries(filterNames.map((name) => [name, place.query.get(name)]).filter(([, value]) => value));
}

async function askSessions() {
  const query = sessionQuery();
  const asked = query.toString();
  const after = table.afters.at(-1);
  query.set('limit', pageSize);
  if (after !== null) query.set('after', after);
  try {
    const { sessions, total: matching, next } = await ask(`api/sessions?${query}`);
    // The reader may have gone on meanwhile.
    if (asked !== sessionQuery().toString() || after !== table.afters.at(-1)) return expire(askSessions);
    Object.assign(table, { rows: sessions, total: matching, next });
    if (table.asked !== asked + after) table.mayMove = true;
    table.asked = asked + after;
    showSessions();
  } catch (problem) {
    Object.assign(table, { rows: [], total: 0, next: null, mayMove: true });
    showSessions(problem);
  }
}

function showSessions(problem) {
  const element = $('session-table');
  const sort = place.query.get('sort') ?? '';
  element.classList.toggle('rated', sort === '-rate');
  for (const button of element.tHead.querySelectorAll('button')) setAttribute(button.parentNode, 'aria-sort', button.dataset.sort === sort ? 'descending' : null);
  const body = element.tBodies[0];
  const holds = !table.mayMove && isRead(body);
  const newer = showList(body, table.rows, { key: ({ id }) => id, holds, create: createSession, update: updateSession });
  table.mayMove = false;
  const gone = holds ? body.querySelectorAll('.gone').length : 0;
  $('newer').hidden = newer === 0 && gone === 0;
  setText($('newer'), newer > 0 ? `${number(newer)} newer` : `${number(gone)} gone`);
  const isFiltered = Object.keys(filters()).length > 0;
  const said = $('sessions-said');
  said.className = problem ? 'bad' : '';
  setText(said, problem ? problem.message : `${count(table.total, 'session')}${isFiltered ? ` ${table.total === 1 ? 'matches' : 'match'}` : ''}`);
  const empty = $('sessions').querySelector('.list .empty');
  empty.hidden = table.rows.length > 0 || problem !== undefined;
  setText(empty, isFiltered ? 'No session matches these filters.' : 'There are no sessions.');
  const { backend, subject, ...ofEnded } = filters();
  $('show-ended').hidden = empty.hidden || Object.keys(ofEnded).length === 0;
  $('show-ended').onclick = () => openEnded(ofEnded);
  element.hidden = table.rows.length === 0;
  const first = (table.afters.length - 1) * pageSize;
  setText($('page-said'), table.rows.length > 0 ? `${number(first + 1)} to ${number(first + table.rows.length)} of ${number(table.total)}` : '');
  $('first-page').disabled = $('previous-page').disabled = table.afters.length === 1;
  $('next-page').disabled = table.next === null || table.next === undefined;
  $('clear-filters').hidden = !isFiltered;
  $('close-matching').disabled = !isFiltered || table.total === 0;
  $('close-matching').title = isFiltered ? '' : 'Set a filter first.';
  suggest('known-routes', new Set([...$('known-routes').children].map(({ value }) => value).concat(table.rows.map(({ route }) => route))));
  markChosen();
}

const text = (value) => make('span', {}, value ?? '');

function createSession(row) {
  return make(
    'tr', { 'data-session': row.id },
    make('td', { class: 'c-id' }, make('a', { href: sessionLink(row.id) }, row.id)),
    make('td', { class: 'c-route', title: row.route }, text(row.route)),
    make('td', { class: 'c-endpoint full', title: row.endpoint ?? row.backend }, text(row.endpoint ? `${row.backend} ${row.endpoint}` : row.backend)),
    make('td', { class: 'c-client', title: row.client }, text(row.client)),
    make('td', { class: 'c-subject', 'data-label': row.subject ? 'Subject' : null, title: row.subject }, ...(row.subject ? [text(row.subject)] : [])),
    cell('c-age number', 'Age', text()), cell('c-idle number', 'Idle', text()), cell('c-messages number', 'Messages', text()),
    cell('c-rate number', 'Rate', text()), cell('c-queue number', 'Queue', text()), cell('c-rtt number', 'RTT', text()));
}

function updateSession(element, row) {
  const cells = element.children;
  const queue = Math.max(row.queued_for_client, row.queued_for_backend);
  setAttribute(cells[0].firstChild, 'href', sessionLink(row.id));
  setText(cells[5].firstChild, age(row.age_seconds));
  setText(cells[6].firstChild, age(row.idle_seconds));
  setText(cells[7].firstChild, number(row.messages_to_backend + row.messages_to_client));
  setText(cells[8].firstChild, row.rate === undefined || row.rate === null ? '' : `${short(row.rate)}/s`);
  setText(cells[9].firstChild, queue === 0 ? '0' : bytes(queue));
  cells[9].className = `c-queue number ${row.queue_limit && queue > row.queue_limit * 0.9 ? 'bad' : row.queue_limit && queue > row.queue_limit * 0.5 ? 'warn' : ''}`;
  setText(cells[10].firstChild, span(row.client_rtt_seconds));
}

function sessionLink(id) {
  const query = sessionQuery().toString();
  return `#/sessions/${id}${query ? `?${query}` : ''}`;
}

function markChosen() {
  for (const row of $('session-table').tBodies[0].rows) row.classList.toggle('chosen', row.dataset.session === place.part);
}

/// Fills a list of suggestions. Values that are there stay.
function suggest(id, values) {
  const list = $(id);
  if (list.childElementCount === values.size) return;
  list.replaceChildren(...[...values].sort().slice(0, 200).map((value) => make('option', { value })));
}

function suggestBackends() {
  suggest('known-backends', new Set(known.backends.map(({ name }) => name)));
  suggest('known-endpoints', new Set(known.backends.flatMap(({ endpoints }) => endpoints.map(({ name }) => name))));
}

// Filters and pages

/// Writes the form into the page's URL, so that a link shows the same.
function applyFilters() {
  const query = new URLSearchParams();
  for (const name of [...filterNames, 'sort']) {
    const value = $('filters').elements[name].value.trim();
    if (value) query.set(name, value);
  }
  if (query.toString() === sessionQuery().toString()) return;
  replacePlace(place.part, query);
  toPage([null]);
}

function showFilters() {
  for (const name of [...filterNames, 'sort']) {
    const field = $('filters').elements[name];
    const value = place.query.get(name) ?? '';
    if (document.activeElement !== field && field.value !== value) field.value = value;
  }
}

function toPage(afters) {
  table.afters = afters;
  table.mayMove = true;
  expire(askSessions);
  pollDue();
}

function moveInTable(by) {
  const links = [...$('session-table').querySelectorAll('tbody a')];
  const at = links.indexOf(document.activeElement);
  links[Math.max(0, Math.min(links.length - 1, at + by))]?.focus();
}

function startSessions() {
  let pause;
  $('filters').addEventListener('input', () => {
    clearTimeout(pause);
    pause = setTimeout(applyFilters, 300);
  });
  $('filters').addEventListener('submit', (event) => { event.preventDefault(); applyFilters(); });
  $('session-table').tHead.addEventListener('click', ({ target: { dataset } }) => {
    if (!dataset.sort) return;
    // A second click takes it back.
    $('sort').value = $('sort').value === dataset.sort ? '' : dataset.sort;
    applyFilters();
  });
  $('clear-filters').addEventListener('click', () => {
    $('filters').reset();
    applyFilters();
    $('filter-route').focus();
  });
  $('newer').addEventListener('click', () => toPage(table.afters));
  $('first-page').addEventListener('click', () => toPage([null]));
  $('previous-page').addEventListener('click', () => toPage(table.afters.slice(0, -1)));
  $('next-page').addEventListener('click', () => toPage([...table.afters, table.next]));
  $('session-table').addEventListener('click', (event) => {
    const row = event.target.closest('tbody tr');
    if (row && !event.target.closest('a') && getSelection().isCollapsed) location.hash = sessionLink(row.dataset.session);
  });
  $('close-matching').addEventListener('click', askCloseMatching);
}

// Closing all that match

/// The order to close what the filters say, as the API takes it.
function closeOrder(chosen) {
  const order = { ...chosen, code: Number($('all-code').value) };
  if ($('all-reason').value) order.reason = $('all-reason').value;
  if (order.subject && $('all-for').value.trim()) order.for = $('all-for').value.trim();
  return order;
}

/// Says first how many there are: only then can they be closed.
async function askCloseMatching() {
  // What was counted is what is closed, even if the page is led elsewhere meanwhile.
  const chosen = filters();
  const set = Object.entries(chosen);
  setText($('close-all-filter'), set.map(([name, value]) => `${name} ${value}`).join(', '));
  $('all-for-field').hidden = !place.query.get('subject');
  const dialog = $('close-all');
  const said = $('close-all-said');
  const yes = $('close-all-yes');
  const countThem = async () => {
    yes.disabled = true;
    setText(said, 'Counting …');
    said.className = '';
    try {
      const { matched } = await ask('api/sessions/close?dry-run=true', closeOrder(chosen));
      setText(said, matched === 0 ? 'No session matches any more.' : `${count(matched, 'session')} will be closed.`);
      setText(yes, `Close ${count(matched, 'session')}`);
      yes.disabled = matched === 0;
    } catch (problem) {
      showFailure(said, problem);
    }
  };
  setText(yes, 'Close');
  dialog.showModal();
  $('close-all-no').focus();
  $('close-all-no').onclick = () => dialog.close();
  dialog.querySelector('form').onchange = countThem;
  dialog.querySelector('form').onsubmit = (event) => { event.preventDefault(); countThem(); };
  yes.onclick = async () => {
    yes.disabled = true;
    try {
      const { closed } = await ask('api/sessions/close', closeOrder(chosen));
      dialog.close();
      toPage([null]);
      setText($('sessions-said'), `Closed ${count(closed, 'session')}.`);
    } catch (problem) {
      showFailure(said, problem);
    }
  };
  await countThem();
}

function showFailure(element, problem) {
  element.className = 'bad';
  setText(element, problem.message);
}
