// "Why not?": would this client be let in now, and if not, what has to change. The question is in this page's URL, without the token.

const questionNames = ['url', 'origin', 'subprotocol', 'method', 'client'];

function openWhy() {
  for (const name of questionNames) $('question').elements[name].value = place.query.get(name) ?? '';
  if (place.query.get('url')) askWhy(); else $('answer').hidden = true;
}

/// Puts the question into the URL. If it is another one than before, that asks it.
function putQuestion(event) {
  event.preventDefault();
  const query = new URLSearchParams();
  for (const name of questionNames) {
    const value = $('question').elements[name].value.trim();
    if (value) query.set(name, value);
  }
  replacePlace('', query);
  askWhy();
}

async function askWhy() {
  const question = Object.fromEntries(questionNames.map((name) => [name, place.query.get(name)]).filter(([, value]) => value));
  const token = $('why-token').value;
  if (token) question.authorization = /^\S+ /.test(token) ? token : `Bearer ${token}`;
  try {
    showAnswer(await ask('api/explain', question));
  } catch (problem) {
    $('answer').hidden = false;
    $('answer').dataset.level = 'bad';
    $('answer').replaceChildren(make('h3', {}, 'It cannot be answered'), make('p', {}, problem.message));
  }
}

/// The answer in one line, and how good it is. That the rules let a client in does not mean that a server answers it.
function headline({ admitted, status, listener, endpoints, last_refusal: last }) {
  if (!admitted) return ['bad', `No: ${status ?? 'refused'}`];
  if (last) return ['warn', `The rules let it in, but at ${clock(new Date(last.at))} a client got ${last.status}`];
  if (listener === null) return ['unknown', 'Yes, if something in front forwards it to a listener'];
  if (endpoints.length > 0 && endpoints.every(isUnchecked)) return ['unknown', 'The rules let it in. Whether a server answers is not checked'];
  return ['good', 'Yes: it would be let in now'];
}

function showAnswer(answer) {
  const { cure, route, backend, listener, endpoints, lines } = answer;
  const reason = answer.reason ?? answer.last_refusal?.reason;
  const list = make('dl');
  const row = (name, ...values) => { if (values.length > 0) list.append(make('dt', {}, name), ...values.map((value) => make('dd', {}, value))); };
  if (route) row('Route', route);
  if (backend) row('Backend', backend);
  if (listener === null && answer.admitted) row('Listener', 'none on this port');
  for (const endpoint of endpoints ?? []) {
    const { name, reason: why } = endpoint;
    const state = isUnchecked(endpoint) ? 'unchecked' : endpoint.state;
    list.append(
      make('dt', {}, 'Endpoint'),
      make('dd', { 'data-state': state }, make('i', { class: 'dot', 'aria-hidden': 'true' }), make('span', { class: 'word' }, state === 'unchecked' ? 'not checked' : state), ` ${name}${why && endpoint.state !== 'up' ? ` – ${why}` : ''}`));
  }
  const [level, sentence] = headline(answer);
  $('answer').dataset.level = level;
  $('answer').hidden = false;
  $('answer').replaceChildren(
    make('h3', {}, sentence),
    ...(reason ? [make('p', {}, reason)] : []), ...(cure ? [make('p', { class: 'cure' }, ...coded(cure))] : []), list,
    make('pre', { tabindex: 0, 'aria-label': 'What the gateway looked at' }, (lines ?? []).join('\n')));
}

function startWhy() {
  $('question').addEventListener('submit', putQuestion);
}
