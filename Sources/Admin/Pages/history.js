// The rates of the last 15 minutes: bins of 10 s, kept by the gateway, and gone on with by its events.

const step = 10;
const binCount = 90;
/// By their number: each ends `step` seconds behind the one before.
let bins = new Map();
/// The summaries of the last seconds, for what is shown as the rate of now.
let seconds = [];
/// When a bin ends, in seconds by `step`: as the gateway's own parts do, so that each of them is one bin.
let phase = 0;

/// The bin of what was counted until `at`. The gateway's clock ticks not quite exactly.
const binOf = (at) => Math.ceil((Date.parse(at) / 1000 - phase - 0.5) / step);

/// When a bin begins, in milliseconds since 1970.
const beginOf = (bin) => ((bin - 1) * step + phase) * 1000;
const total = (counts) => Object.values(counts ?? {}).reduce((sum, value) => sum + value, 0);

const emptyBin = () => ({ seconds: 0, sessions: null, opens: 0, closes: {}, refusals: {}, messages: 0, bytes: 0 });

function addTo(bin, point, duration) {
  bin.seconds += duration;
  bin.sessions = point.sessions;
  for (const name of ['opens', 'messages', 'bytes']) bin[name] += point[name];
  for (const name of ['closes', 'refusals']) {
    for (const [key, value] of Object.entries(point[name])) bin[name][key] = (bin[name][key] ?? 0) + value;
  }
}

async function askHistory() {
  let history;
  try { history = await ask('api/history'); } catch { return; }
  const { points } = history;
  if (points.length === 0) return;
  const newPhase = Date.parse(points.at(-1).at) / 1000 % step;
  // Another gateway counts here now.
  if (Math.abs(newPhase - phase) > 0.5) {
    phase = newPhase;
    bins.clear();
  }
  const last = binOf(points.at(-1).at);
  const made = new Map();
  // Its points are one step apart, but their times are not exact: they are counted from the last one.
  points.forEach((point, index) => {
    const bin = emptyBin();
    addTo(bin, point, history.step_seconds);
    made.set(last - (points.length - 1 - index), bin);
  });
  for (const [key, bin] of bins) if (key > last) made.set(key, bin);
  bins = made;
  showRates();
}

function heardSummary(summary) {
  const key = binOf(summary.at);
  if (!bins.has(key)) bins.set(key, emptyBin());
  addTo(bins.get(key), summary, 1);
  for (const old of bins.keys()) if (old <= key - binCount) bins.delete(old);
  seconds = [...seconds.slice(-4), summary];
  showRates();
}

/// The number of the newest bin; what is shown ends there. It is the gateway's time, not the reader's.
const newestBin = () => Math.max(...bins.keys(), 0);

/// `binCount` bins, the oldest first; `null` where nothing is known.
function timeline() {
  const newest = newestBin();
  return Array.from({ length: binCount }, (_, index) => bins.get(newest - binCount + 1 + index) ?? null);
}

/// Rates of a bin, for each second.
const rate = (bin, value) => bin === null || bin.seconds === 0 ? null : value(bin) / bin.seconds;

/// The rate of now: the mean of the last five seconds, so that it can be read.
function rateNow(value) {
  if (seconds.length === 0) return null;
  return seconds.reduce((sum, each) => sum + value(each), 0) / seconds.length;
}

on('summary', heardSummary);
on('connected', askHistory);
on('lost', () => { seconds = []; });
