// Elements of the page. All that a client, a backend or a file chose becomes text here, never markup.

const $ = (id) => document.getElementById(id);

/// Makes an element. `attributes` are attributes, except `on…`, which are listeners. Children are nodes or texts; empty ones are left out.
function make(tag, attributes = {}, ...children) {
  const made = tag === 'svg' || svgTags.has(tag)
    ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ''));
  return made;
}

const svgTags = new Set(['rect', 'path', 'g']);

/// Writes only what has changed, so that a selection in it stays.
function setText(element, text) {
  const wanted = String(text ?? '');
  if (element.textContent !== wanted) element.textContent = wanted;
}

function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) return element.removeAttribute(name);
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/// A text in which keys stand between backticks, as in the messages of the gateway.
const withoutTicks = (text) => text.replaceAll('`', '');
const coded = (text) => text.split('`').map((part, index) => index % 2 === 1 ? make('code', {}, part) : part);

/// A text that may be broken after its punctuation, as an address.
const breakable = (text) => text.split(/(?<=[/.:@-])(?=\w)/).flatMap((part, index) => index === 0 ? [part] : [make('wbr'), part]);

/// Whether someone reads this: the pointer or the focus is in it. Then nothing in it moves.
const isRead = (element) => element.matches(':hover') || element.contains(document.activeElement);

/// Shows items as the children of `list`: each keeps its element, which is updated in place.
///
/// - key: what an item is known by.
/// - holds: add, remove and move none. Those that are gone get the class `gone`.
/// Returns how many were not added because of that.
function showList(list, items, { key, create, update, holds = false }) {
  const known = list.known ??= new Map();
  const wanted = new Map(items.map((item) => [key(item), item]));
  for (const [name, element] of known) {
    if (wanted.has(name)) {
      element.classList.remove('gone');
      continue;
    }
    if (holds) {
      element.classList.add('gone');
      continue;
    }
    element.remove();
    known.delete(name);
  }
  let held = 0;
  let place = list.firstElementChild;
  for (const [name, item] of wanted) {
    let element = known.get(name);
    if (!element) {
      if (holds) {
        held += 1;
        continue;
      }
      element = create(item);
      known.set(name, element);
    }
    update(element, item);
    if (holds) continue;
    if (element === place) place = place.nextElementSibling;
    else list.insertBefore(element, place);
  }
  return held;
}

/// A cell that says on a phone, where there are no headings, what it is.
const cell = (className, label, ...children) => make('td', { class: className, 'data-label': label }, ...children);

/// A bar that shows a use of a limit.
function meter(label) {
  return make('div', { class: 'meter', role: 'meter', 'aria-label': label, 'aria-valuemin': 0, 'aria-valuemax': 100 }, make('div'));
}

function setMeter(element, share, level) {
  const percent = Math.max(0, Math.min(100, share * 100));
  setAttribute(element, 'aria-valuenow', Math.round(percent));
  setAttribute(element, 'data-level', level);
  element.firstElementChild.style.width = `${percent}%`;
}

/// Says in a panel's heading what went wrong, and takes it back with `null`.
function showProblem(panel, problem) {
  const heading = panel.querySelector('h2');
  let said = heading.querySelector('.problem');
  if (!problem) return said?.remove();
  if (!said) heading.append(said = make('span', { class: 'problem', role: 'alert' }));
  setText(said, problem.message);
}

/// Asks before something is done that cannot be taken back. Resolves to whether it shall be done.
function confirmed(title, body, yes) {
  setText($('confirm-title'), title);
  $('confirm-body').replaceChildren(...body.map((text) => make('p', {}, text)));
  setText($('confirm-yes'), yes);
  $('confirm').showModal();
  $('confirm-no').focus();
  return new Promise((resolve) => {
    const answer = (value) => () => { resolve(value); $('confirm').close(); };
    $('confirm-yes').onclick = answer(true);
    $('confirm-no').onclick = answer(false);
    $('confirm').onclose = () => resolve(false);
  });
}
