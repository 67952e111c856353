// Reload, drain, and what others have changed.

/// Whether the last dry run said that the file can be applied.
let canApply = false;

async function reload(isDry) {
  const said = $('reload-said');
  said.replaceChildren(make('p', {}, isDry ? 'Looking …' : 'Applying …'));
  canApply = false;
  try {
    const outcome = await ask(`api/reload${isDry ? '?dry-run=true' : ''}`, {});
    canApply = isDry;
    said.replaceChildren(...outcomeElements(outcome, isDry));
  } catch (problem) {
    const mistakes = problem.content?.mistakes ?? [];
    said.replaceChildren(
      make('p', { class: 'bad' }, mistakes.length > 0 ? `${count(mistakes.length, 'mistake')}: nothing was changed.` : problem.message),
      make('ul', { class: 'mistakes' }, ...mistakes.map((text) => make('li', {}, text))));
  }
  allowApply(canApply);
  expire(askStatus);
  if (!isDry) expire(askConfiguration);
}

function outcomeElements({ closing, kept, reasons, awaiting_start: waiting, changes }, isDry) {
  const sentence = closing === 0
    ? `${isDry ? 'No session would close' : 'No session closes'}: ${count(kept, 'session')} ${kept === 1 ? 'stays' : 'stay'}.`
    : `${count(closing, 'session')} ${isDry ? 'would close' : closing === 1 ? 'closes' : 'close'} with 1012, ${number(kept)} stay.`;
  return [
    make('p', {}, make('strong', {}, isDry ? sentence : `Applied. ${sentence}`)),
    ...(reasons ?? []).map(({ reason, sessions }) => make('p', {}, `${number(sessions)}: ${reason}`)),
    ...(waiting?.length > 0 ? [make('p', { class: 'warn' }, `Only a restart changes: ${waiting.join(', ')}.`)] : []),
    ...(changes ? [changesElement(changes)] : []),
  ];
}

/// How the file differs from what is in force. Secrets are in neither.
function changesElement(changes) {
  if (changes.length === 0) return make('p', { class: 'soft' }, 'The file is as what is in force, but for comments and secrets.');
  return make('pre', { class: 'diff', tabindex: '0', 'aria-label': 'Changed lines' }, ...changes.map((line) => make('span', { class: line.startsWith('+') ? 'added' : 'gone' }, `${line}\n`)));
}

function allowApply(isAllowed) {
  $('apply').disabled = !isAllowed;
  setAttribute($('apply'), 'title', isAllowed ? null : 'Only after a dry run without mistakes');
}

async function apply() {
  if (!await confirmed('Apply the configuration', [...$('reload-said').querySelectorAll('p')].map((said) => said.textContent), 'Apply')) return;
  await reload(false);
}

async function drain() {
  const sessions = known.status?.sessions ?? 0;
  const body = [
    `${count(sessions, 'session')} will be closed with 1012, over the configured time. New clients are refused from now on.`,
    'Then the process exits. This cannot be taken back.',
  ];
  if (!await confirmed('Drain the gateway', body, 'Drain and exit')) return;
  try {
    await ask('api/drain', {});
  } catch (problem) {
    showFailure($('drain-said'), problem);
  }
  expire(askStatus);
  pollDue();
}

function showOperate() {
  const { status } = known;
  const last = status?.last_reload;
  setText($('reload-last'), last?.at ? `Last reload at ${clock(new Date(last.at))}: ${last.result}.${last.mistakes?.length > 0 ? ` ${last.mistakes.join(' · ')}` : ''}` : 'Not reloaded since the start.');
  $('reload-last').className = last?.mistakes?.length > 0 ? 'bad' : 'soft';
  if (status?.draining) setText($('drain-said'), drainSentence(status));
  $('drain').disabled = status?.draining ?? true;
}

async function askConfiguration() {
  try {
    const { text, file, loaded_at: at } = await ask('api/configuration');
    setText($('configuration-said'), `${file}, read ${day(new Date(at))} ${clock(new Date(at))}. Secrets are left out.`);
    setText($('configuration'), text);
    $('configuration').hidden = false;
  } catch (problem) {
    showFailure($('configuration-said'), problem);
    $('configuration').hidden = true;
  }
}

/// A change by anyone, in the words of the log.
function heardChange({ at, who, action, target, count: affected, result }) {
  const what = [action, target].filter(Boolean).join(' ');
  const more = [who && `by ${who}`, affected > 0 && count(affected, 'session'), result].filter(Boolean).join(', ');
  const moment = new Date(at);
  $('changes').prepend(make('li', {}, make('time', { datetime: moment.toISOString() }, clock(moment)), `${what}${more ? ` – ${more}` : ''}`));
  while ($('changes').childElementCount > 100) $('changes').lastElementChild.remove();
  $('no-changes').hidden = true;
  expire(askBackends);
}

function startOperate() {
  $('dry-run').addEventListener('click', () => reload(true));
  $('apply').addEventListener('click', apply);
  $('drain').addEventListener('click', drain);
  on('admin', heardChange);
  on('reload', () => { if (place.view === 'operate') expire(askConfiguration); });
}
