// The frames of one session, live.

/// The most frames that are kept; older ones are forgotten, and the export does not have them.
const mostFrames = 2000;
const mostShownCharacters = 20_000;

const tail = {
  socket: null,
  /// All that are kept, the oldest first, each with the time since the one before.
  frames: [],
  /// Those that wait for the next frame of the screen, or for the reader to go on.
  waiting: [],
  /// The list shows its end. It does not while the reader looks at older frames.
  follows: true,
  isPaused: false,
};

function clearTail(empty) {
  Object.assign(tail, { frames: [], waiting: [], follows: true });
  setPaused(false);
  $('frames').replaceChildren();
  $('frames').dataset.empty = empty;
}

/// Of a session that has ended.
function showNoFrames() {
  clearTail('This session has ended: it has no more frames.');
  setText($('tail-state'), 'ended');
}

function beginTail(id) {
  clearTail('Waiting for frames.');
  setText($('tail-state'), 'connecting');
  const socket = tail.socket = new WebSocket(socketURL(`api/sessions/${encodeURIComponent(id)}/tail`));
  socket.onopen = () => setText($('tail-state'), 'live');
  socket.onmessage = ({ data }) => { if (socket === tail.socket) heardFrame(parsed(data)); };
  socket.onclose = ({ reason }) => {
    if (socket !== tail.socket) return;
    setText($('tail-state'), reason || 'ended');
    if (tail.frames.length === 0) $('frames').dataset.empty = 'The gateway shows no frames of this session: it has ended, or too many look on.';
  };
}

function endTail() {
  const { socket } = tail;
  tail.socket = null;
  socket?.close();
}

/// Since 1970, with the microseconds, which a Date has not.
const secondsOf = (at) => Date.parse(at) / 1000 + Number(/\.\d{3}(\d{3})/.exec(at)?.[1] ?? 0) / 1e6;

function heardFrame(frame) {
  if (!frame) return;
  const previous = tail.frames.findLast(({ at }) => at)?.at;
  frame.since = frame.at && previous ? secondsOf(frame.at) - secondsOf(previous) : null;
  tail.frames.push(frame);
  if (tail.frames.length > mostFrames) tail.frames.shift();
  if (!isShown(frame)) return;
  tail.waiting.push(frame);
  if (tail.waiting.length > mostFrames) tail.waiting.shift();
  if (tail.waiting.length === 1) requestAnimationFrame(showFrames);
}

/// Appends what waits if the end of the list is in sight; else the list stays as it is, and says how many are newer.
function showFrames() {
  const list = $('frames');
  const waits = tail.isPaused || !tail.follows;
  $('tail-newer').hidden = !waits || tail.waiting.length === 0;
  if (waits) {
    setText($('tail-newer'), `${number(tail.waiting.length)} newer`);
    if (tail.waiting.length > 0) setTimeout(() => requestAnimationFrame(showFrames), 250);
    return;
  }
  list.append(...tail.waiting.map(frameElement));
  tail.waiting = [];
  while (list.childElementCount > mostFrames) list.firstElementChild.remove();
  list.scrollTop = list.scrollHeight;
}

/// All again: the filter or the view has changed.
function showAllFrames() {
  tail.waiting = [];
  tail.follows = true;
  $('frames').replaceChildren(...tail.frames.filter(isShown).map(frameElement));
  $('frames').scrollTop = $('frames').scrollHeight;
  $('tail-newer').hidden = true;
}

function isShown(frame) {
  if (frame.skipped !== undefined) return true;
  if ($('tail-pings').checked && (frame.opcode === 'ping' || frame.opcode === 'pong')) return false;
  const wanted = $('tail-filter').value.trim().toLowerCase();
  return wanted === '' || `${frame.direction} ${frame.opcode} ${payloadText(frame)}`.toLowerCase().includes(wanted);
}

function frameElement(frame) {
  if (frame.skipped !== undefined) return make('li', { class: 'note' }, `${count(frame.skipped, 'frame')} skipped: the page was too slow`);
  const isToClient = frame.direction === 'to-client';
  const payload = make('button', { class: 'text', type: 'button', 'aria-expanded': 'false', onclick: () => unfoldFrame(payload, frame) }, payloadShown(frame, false));
  return make(
    'li', { class: frame.direction },
    make('span', { class: 'arrow', role: 'img', 'aria-label': frame.direction }, isToClient ? '↓' : '↑'),
    make('time', { datetime: frame.at }, preciseClock(new Date(frame.at))),
    make('span', { class: 'number', title: 'since the frame before' }, frame.since === null ? '' : `+${span(frame.since)}`),
    make('span', { class: 'op' }, frame.opcode.replace('continuation', 'cont')),
    make('span', { class: 'number' }, bytes(frame.size)), payload);
}

function unfoldFrame(button, frame) {
  const unfolds = button.getAttribute('aria-expanded') !== 'true';
  button.setAttribute('aria-expanded', unfolds);
  setText(button, payloadShown(frame, unfolds));
}

// Payloads

const hasPayload = ({ text, base64 }) => text !== undefined || base64 !== undefined;

function payloadBytes({ text, base64 }) {
  if (text !== undefined) return new TextEncoder().encode(text);
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/// As text, as far as it is text.
function payloadText(frame) {
  if (!hasPayload(frame)) return '';
  if (frame.text !== undefined) return frame.text;
  if (frame.opcode === 'close') return closeText(payloadBytes(frame));
  return new TextDecoder().decode(payloadBytes(frame));
}

/// The code and the reason of a Close (RFC 6455 section 5.5.1).
function closeText(payload) {
  if (payload.length < 2) return 'no code';
  return `${payload[0] * 256 + payload[1]} ${new TextDecoder().decode(payload.subarray(2))}`.trim();
}

function payloadShown(frame, isWhole) {
  if (frame.size === 0) return 'empty';
  if (!hasPayload(frame)) return 'not shown: set admin.payloads';
  const more = `${frame.compressed ? ' (compressed)' : ''}${frame.cut ? ' … cut at 64 KiB' : ''}`;
  const most = isWhole ? mostShownCharacters : 200;
  return payloadIn($('tail-view').value, frame, isWhole).slice(0, most) + more;
}

function payloadIn(view, frame, isWhole) {
  if (view === 'hex') return isWhole ? hexDump(payloadBytes(frame)) : hexLine(payloadBytes(frame).subarray(0, 48));
  const isBinary = frame.text === undefined && frame.opcode !== 'close';
  if (isBinary || frame.compressed) return isWhole ? hexDump(payloadBytes(frame)) : hexLine(payloadBytes(frame).subarray(0, 48));
  const said = payloadText(frame);
  const content = view === 'json' ? parsed(said) : null;
  return content === null ? said : JSON.stringify(content, null, isWhole ? 2 : 0);
}

const hexLine = (payload) => Array.from(payload, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

/// Sixteen bytes a line: their place, the bytes, and what they are in ASCII.
function hexDump(payload) {
  const lines = [];
  for (let at = 0; at < Math.min(payload.length, 4096); at += 16) {
    const part = payload.subarray(at, at + 16);
    const ascii = Array.from(part, (byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.').join('');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hexLine(part).padEnd(47)}  ${ascii}`);
  }
  return lines.join('\n');
}

// What the reader does

function setPaused(isPaused) {
  tail.isPaused = isPaused;
  setAttribute($('tail-pause'), 'aria-pressed', isPaused);
  setText($('tail-pause'), isPaused ? 'Go on' : 'Pause');
}

function goOn() {
  setPaused(false);
  tail.follows = true;
  showFrames();
}

/// Saves what is kept, as the gateway sent it: a JSON object a line.
function exportFrames() {
  const lines = tail.frames.map(({ since, ...frame }) => JSON.stringify(frame));
  const url = URL.createObjectURL(new Blob([lines.map((line) => `${line}\n`).join('')], { type: 'application/jsonl' }));
  make('a', { href: url, download: `${place.part}.jsonl` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function startTail() {
  const list = $('frames');
  list.addEventListener('scroll', () => {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 30;
    const returned = atEnd && !tail.follows;
    tail.follows = atEnd;
    if (returned && !tail.isPaused) showFrames();
  }, { passive: true });
  $('tail-newer').addEventListener('click', goOn);
  $('tail-pause').addEventListener('click', () => { if (tail.isPaused) goOn(); else setPaused(true); });
  $('tail-export').addEventListener('click', exportFrames);
  $('tail-filter').addEventListener('input', showAllFrames);
  $('tail-view').addEventListener('change', showAllFrames);
  $('tail-pings').addEventListener('change', showAllFrames);
}
