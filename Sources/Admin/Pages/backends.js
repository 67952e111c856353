// Backends and their endpoints: what is up, what is not, why, and since when.

/// What is shown of thousands, until all are asked for: those in trouble come first.
const fewBackends = 40;
let showsAllBackends = false;
/// By the name of a backend, whether the reader wants its endpoints shown.
const unfolded = new Map();
/// The order of the backends, kept while someone reads.
let backendOrder = [];

async function askBackends() {
  try {
    known.backends = (await ask('api/backends')).backends;
    known.backendsKnown = true;
    showProblem($('backends'), null);
  } catch (problem) {
    return showProblem($('backends'), problem);
  }
  suggestBackends();
  showVerdict();
  if (place.view === 'overview') showBackends();
}

/// Up without anything being known: neither checked, nor ejected after failures.
const isUnchecked = ({ state, checked }) => state === 'up' && checked === false;
const downCount = ({ endpoints }) => endpoints.filter(({ state }) => state === 'down').length;
/// 3: none is left; 2: some are down; 1: some drain.
const trouble = (backend) => hasNoneLeft(backend) ? 3 : downCount(backend) > 0 ? 2 : backend.endpoints.some(({ state }) => state !== 'up') ? 1 : 0;

function showBackends() {
  const panel = $('backends');
  const table = panel.querySelector('table');
  const holds = isRead(panel);
  if (!holds || backendOrder.length === 0) {
    backendOrder = [...known.backends].sort((a, b) => trouble(b) - trouble(a) || Number(b.endpoints.length > 0) - Number(a.endpoints.length > 0)).map(({ name }) => name);
  }
  const byName = new Map(known.backends.map((backend) => [backend.name, backend]));
  const shown = backendOrder.slice(0, showsAllBackends ? undefined : fewBackends).map((name) => byName.get(name)).filter(Boolean);
  const empty = panel.querySelector('.empty');
  empty.hidden = shown.length > 0;
  setText(empty, 'There are no backends.');
  $('all-backends').hidden = shown.length === known.backends.length;
  setText($('all-backends'), `Show all ${number(known.backends.length)} backends`);
  showList(after(table.tHead), shown, { key: ({ name }) => name, holds, create: createBackend, update: updateBackend });
}

/// What follows an element beside it, as a list for `showList`.
function after(head) {
  return head.followers ??= {
    get firstElementChild() { return head.nextElementSibling; },
    insertBefore: (element, before) => head.parentNode.insertBefore(element, before),
  };
}

function createBackend({ name, kind }) {
  const button = make('button', { type: 'button', onclick: () => unfold(name) }, name);
  return make(
    'tbody', { 'data-backend': name },
    make('tr', { class: 'group' }, make('th', { colspan: 3, scope: 'rowgroup' }, button, ' ', make('small', { class: 'soft' }, kind), ' ', make('small')), make('td', { class: 'number' }), make('td')));
}

function unfold(name) {
  const body = document.querySelector(`#backends tbody[data-backend="${CSS.escape(name)}"]`);
  unfolded.set(name, body.querySelector('button').getAttribute('aria-expanded') !== 'true');
  showBackends();
}

function updateBackend(body, backend) {
  const { name, endpoints, sessions } = backend;
  // What is in trouble unfolds by itself, but not under the reader's eyes.
  if (!unfolded.has(name) && !isRead($('backends'))) body.unfolds = trouble(backend) > 1 || known.backends.length <= 3;
  const isUnfolded = endpoints.length > 0 && (unfolded.get(name) ?? body.unfolds ?? false);
  const [head] = body.children;
  const button = head.querySelector('button');
  setAttribute(button, 'aria-expanded', endpoints.length > 0 ? isUnfolded : null);
  button.disabled = endpoints.length === 0;
  const up = endpoints.length - downCount(backend);
  const said = head.querySelector('small:last-child');
  const unknown = endpoints.length > 0 && endpoints.every(isUnchecked);
  setText(said, endpoints.length === 0 ? 'no endpoints to check' : unknown ? 'not checked' : up === 0 ? `none of ${endpoints.length} is up` : `${up} of ${endpoints.length} up`);
  said.className = up === 0 && endpoints.length > 0 ? 'bad' : up < endpoints.length ? 'warn' : 'soft';
  setText(head.children[1], number(sessions));
  showList(after(head), isUnfolded ? endpoints : [], { key: (endpoint) => endpoint.name, create: (endpoint) => createEndpoint(name, endpoint), update: updateEndpoint });
}

function createEndpoint(backend, { name, backup, weight }) {
  const more = [backup && 'backup', weight !== 1 && `weight ${weight}`].filter(Boolean).join(', ');
  const order = make(
    'select', { 'aria-label': `Order for ${name}`, onchange: () => orderEndpoint(backend, name, order) },
    make('option', { value: 'up' }, 'up'), make('option', { value: 'drain' }, 'drain'), make('option', { value: 'down' }, 'down'));
  return make(
    'tr', { class: 'endpoint', 'data-endpoint': name },
    make('td', { class: 'full' }, make('span', {}, ...breakable(name), ' ', make('small', {}, more))),
    make('td', { class: 'full' }, make('span', {}, make('i', { class: 'dot', 'aria-hidden': 'true' }), make('span', { class: 'word' }), ' ', make('span', { class: 'since' }), make('span', { class: 'reason' }))),
    cell('number full', 'Last check'), cell('number', 'Sessions'),
    cell('', 'Order', order, make('span')));
}

function updateEndpoint(row, endpoint) {
  setAttribute(row, 'data-state', isUnchecked(endpoint) ? 'unchecked' : endpoint.state);
  setText(row.querySelector('.word'), isUnchecked(endpoint) ? 'not checked' : endpoint.state);
  row.querySelector('.word').title = isUnchecked(endpoint) ? 'Set health for its backend: nothing notices when it does not answer.' : '';
  setText(row.querySelector('.reason'), endpoint.state === 'up' ? '' : endpoint.reason);
  setText(row.querySelector('.since'), isUnchecked(endpoint) ? '' : `for ${age(endpoint.since_seconds)}`);
  setText(row.children[2], lastCheck(endpoint));
  setText(row.children[3], number(endpoint.sessions));
  const [select, text] = row.children[4].children;
  const order = endpoint.order ?? 'up';
  select.hidden = known.status === null || known.status.read_only === true;
  setText(text, select.hidden && order !== 'up' ? order : '');
  row.children[4].classList.toggle('blank', select.hidden && order === 'up');
  if (document.activeElement !== select) select.value = order;
}

function lastCheck({ last_check_seconds: ago, check_seconds: took }) {
  if (ago === null || ago === undefined) return '–';
  return `${ago < 1 ? 'just now' : `${age(ago)} ago`}${took === null || took === undefined ? '' : ` · ${span(took)}`}`;
}

const untilStart = 'The order holds until the gateway is started again, or until you choose “up”.';
const orders = {
  up: ['Take the order back', 'Clients come to it again, unless health says that it is down.'],
  drain: ['Drain', 'Only clients with a cookie that names it still come. No session is closed.', untilStart],
  down: ['Take down', 'No client comes to it any more. No session is closed.', untilStart],
};

async function orderEndpoint(backend, endpoint, select) {
  const [verb, ...consequences] = orders[select.value];
  const state = select.value;
  const current = known.backends.find(({ name }) => name === backend)?.endpoints.find(({ name }) => name === endpoint)?.order ?? 'up';
  if (await confirmed(`${verb}: ${endpoint}`, [`Backend ${backend}.`, ...consequences], verb)) {
    try {
      await ask('api/endpoints', { backend, endpoint, state });
      showProblem($('backends'), null);
    } catch (problem) {
      select.value = current;
      showProblem($('backends'), problem);
    }
  } else {
    select.value = current;
  }
  expire(askBackends);
  pollDue();
}

on('health', () => expire(askBackends));
on('reload', () => { expire(askBackends); expire(askStatus); });
on('drain', () => { expire(askBackends); expire(askStatus); });

function startBackends() {
  $('all-backends').addEventListener('click', () => { showsAllBackends = true; showBackends(); });
}
