// Numbers, sizes and times in words.

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const number = (value) => grouped.format(value);

const capitalized = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/// One number and its word: `1 session`, `2 sessions`.
const count = (value, word, words = `${word}s`) => `${number(value)} ${value === 1 ? word : words}`;

/// Three digits and a unit: `14.2 k`. Rates below ten keep a decimal, so that one session in five seconds is not zero.
function short(value) {
  if (value < 10) return value === 0 ? '0' : value.toFixed(1);
  if (value < 10_000) return number(value);
  const [unit, divisor] = value < 1e6 ? ['k', 1e3] : value < 1e9 ? ['M', 1e6] : ['G', 1e9];
  return `${digits(value / divisor)} ${unit}`;
}

const digits = (value) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

/// In the units of the configuration.
function bytes(value) {
  if (value < 1024) return `${Math.round(value)} B`;
  const [unit, divisor] = value < 1000 * 2 ** 10 ? ['KiB', 2 ** 10] : value < 1000 * 2 ** 20 ? ['MiB', 2 ** 20] : ['GiB', 2 ** 30];
  return `${digits(value / divisor)} ${unit}`;
}

/// A duration, by its two largest units.
function span(seconds) {
  if (seconds === null || seconds === undefined) return '–';
  if (seconds === 0) return '0 s';
  if (seconds < 0.01) return `${(seconds * 1000).toFixed(1)} ms`;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor(seconds % 86_400 / 3600)} h`;
}

/// Of what has lasted, in whole seconds.
const age = (seconds) => seconds === null || seconds === undefined ? '–' : span(Math.floor(seconds));

const two = (value) => String(value).padStart(2, '0');

/// The time of day, in the reader's zone.
function clock(date) {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

const preciseClock = (date) => `${clock(date)}.${String(date.getMilliseconds()).padStart(3, '0')}`;
const day = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;

/// The codes of RFC 6455 section 7.4.1 and its registry.
const meanings = {
  1000: 'normal closure', 1001: 'going away', 1002: 'protocol error', 1003: 'unsupported data', 1007: 'invalid data',
  1008: 'policy violation', 1009: 'message too big', 1010: 'extension missing', 1011: 'internal error',
  1012: 'service restart', 1013: 'try again later', 1014: 'bad gateway', none: 'no Close was sent',
};

const meaning = (code) =>
  meanings[code] ?? (code >= 4000 ? 'private to the application' : code >= 3000 ? 'registered by a library' : 'unknown');
