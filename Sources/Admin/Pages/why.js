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

function showAnswer({ admitted, status, reason, cure, route, backend, endpoints, lines }) {
  const list = make('dl');
  const row = (name, ...values) => { if (values.length > 0) list.append(make('dt', {}, name), ...values.map((value) => make('dd', {}, value))); };
  if (route) row('Route', route);
  if (backend) row('Backend', backend);
  for (const { name, state, reason: why } of endpoints ?? []) {
    list.append(
      make('dt', {}, 'Endpoint'),
      make('dd', { 'data-state': state }, make('i', { class: 'dot', 'aria-hidden': 'true' }), make('span', { class: 'word' }, state), ` ${name}${why && state !== 'up' ? ` – ${why}` : ''}`));
  }
  $('answer').dataset.level = admitted ? 'good' : 'bad';
  $('answer').hidden = false;
  $('answer').replaceChildren(
    make('h3', {}, admitted ? 'Yes: it would be let in now' : `No: ${status ?? 'refused'}`),
    ...(reason ? [make('p', {}, reason)] : []), ...(cure ? [make('p', { class: 'cure' }, cure)] : []), list,
    make('pre', { tabindex: 0, 'aria-label': 'What the gateway looked at' }, (lines ?? []).join('\n')));
}

function startWhy() {
  $('question').addEventListener('submit', putQuestion);
}
