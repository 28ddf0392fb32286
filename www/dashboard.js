/*
 * dashboard.js - reads /status/summary and /status/counters every ten seconds and draws them.
 *
 * Names, subjects and labels come from devices and are hostile. Nothing here takes markup: text reaches
 * the page as text nodes only, through visible(), which shows characters that would act (direction
 * overrides, controls, invisible ones) as escapes.
 */
'use strict';

const SOURCE = '/status/summary';
const COUNTERS = '/status/counters';
const EVERY = 10000; // ms between two readings
const PATIENCE = 8000; // ms for one reading
const LONGEST = 120; // characters of one text that are shown
const REASON = 500; // characters of a server's reason that are shown
const POINTS = 8; // code points of a name that are spelled out
const NAMES = 3; // subject alternative names of one certificate that are shown
const DAY = 86400000;

const find = (id) => document.getElementById(id);
const count = new Intl.NumberFormat('en').format;

// Whatever does not print as itself: controls, formats, unassigned, odd spaces, what fonts leave out.
const ACTING = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/gu;

/* An element with its attributes and children; a string among the children becomes a text node. */
function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

function escaped(character) {
  const hex = character.codePointAt(0).toString(16);
  const text = hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
  return element('span', {class: 'escape', title: 'a character that does not print'}, text);
}

/* Outside text, cut after so many characters, as a node of its own direction. */
function visible(text, longest = LONGEST) {
  const node = element('bdi', {});
  const all = Array.from(String(text));
  const shown = all.slice(0, longest).join('');
  let end = 0;
  for (const match of shown.matchAll(ACTING)) {
    node.append(shown.slice(end, match.index), escaped(match[0]));
    end = match.index + match[0].length;
  }
  node.append(shown.slice(end));
  if (all.length > longest) {
    node.append(element('span', {class: 'muted'}, `… (${count(all.length)} characters)`));
  }
  return node;
}

/* A name that may look like another one says of which code points it is (C8 of a permissive profile). */
function foreign(text) {
  const points = [...new Set(String(text).match(/[^\x20-\x7e]/gu) ?? [])];
  if (points.length === 0) {
    return [];
  }
  const shown = points.slice(0, POINTS)
    .map((c) => `U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`);
  const more = points.length > POINTS ? ' …' : '';
  return [element('span', {class: 'foreign muted'}, `non-ASCII: ${shown.join(' ')}${more}`)];
}

function label(name) {
  return name === '' ? element('span', {class: 'muted'}, '(default)') : visible(name);
}

/* The day of "2026-11-21T02:39:00Z", and below it something more about it. */
function time(text, more, kind) {
  return element('time', {datetime: text}, text.slice(0, 10), ' ',
    element('span', {class: `below ${kind}`}, more));
}

function remaining(cert, now) {
  const left = Date.parse(cert.not_after) - now;
  if (cert.status === 'revoked') {
    return '';
  }
  if (left <= 0) {
    return 'ended';
  }
  if (left < 2 * DAY) {
    const hours = Math.floor(left / 3600000);
    return hours === 0 ? 'under an hour left' : `${hours} hour${hours === 1 ? '' : 's'} left`;
  }
  return `${count(Math.floor(left / DAY))} days left`;
}

/* A certificate in the last quarter of its life should have been renewed. */
function endsSoon(cert, now) {
  const begin = Date.parse(cert.not_before);
  const end = Date.parse(cert.not_after);
  return cert.status === 'valid' && end - now < (end - begin) / 4;
}

// ---- the parts of the page ------------------------------------------------------------------------

const KINDS = [
  ['issued', 'Issued', 'since the beginning'],
  ['valid', 'Valid', 'usable now'],
  ['revoked', 'Revoked', 'taken back'],
  ['expired', 'Expired', 'came to their end'],
];

function drawTotals(totals) {
  find('totals').replaceChildren(...KINDS.map(([key, title, about]) => element('div',
    {class: `card total ${key}`}, element('dt', {}, title),
    element('dd', {}, count(totals[key])), element('dd', {class: 'muted'}, about))));
}

/* A cell that also knows its column's title, for the narrow forms in which every row is a block. */
function cell(title, attributes, ...children) {
  return element('td', {'data-title': title, ...attributes}, ...children);
}

function drawLabels(labels) {
  const sorted = labels.slice().sort((a, b) => a.label < b.label ? -1 : 1);
  const rows = sorted.map((row) => element('tr', {},
    element('th', {scope: 'row'}, label(row.label)),
    ...KINDS.map(([key, title]) => cell(title, {class: 'number'}, count(row[key])))));
  find('labels').tBodies[0].replaceChildren(...rows);
}

/* The top of the scale: 2, 4, 6, 8, 10, 20, 40, ..., not below the number; its half is whole. */
function roundedUp(number) {
  for (let unit = 1; ; unit *= 10) {
    for (const step of [2, 4, 6, 8, 10]) {
      if (step * unit >= number) {
        return step * unit;
      }
    }
  }
}

function dayName(day) {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString('en-GB',
    {day: 'numeric', month: 'short', timeZone: 'UTC'});
}

function bar(entry, top, index, days) {
  const column = element('div', {class: 'column', title: `${entry.day}: ${count(entry.issued)} issued`});
  const fill = element('div', {class: entry.issued === 0 ? 'bar none' : 'bar'});
  fill.style.blockSize = `${100 * entry.issued / top}%`;
  column.append(fill);
  // A name under every seventh day, counted from today backwards.
  if ((days.length - 1 - index) % 7 === 0) {
    column.append(element('span', {class: 'day'},
      index === days.length - 1 ? 'today' : dayName(entry.day)));
  }
  return column;
}

function drawDays(days) {
  const total = days.reduce((sum, entry) => sum + entry.issued, 0);
  const best = days.reduce((most, entry) => entry.issued > most.issued ? entry : most);
  const top = roundedUp(best.issued);
  find('days-summary').textContent = total === 0 ? `None in the last ${days.length} days.`
    : `${count(total)} in the last ${days.length} days, most on ${dayName(best.day)}: ${count(best.issued)}.`;
  find('days-chart').replaceChildren(
    element('div', {class: 'scale'}, ...[top, top / 2, 0].map((n) => element('span', {}, count(n)))),
    element('div', {class: 'columns'}, ...days.map((entry, i) => bar(entry, top, i, days))));
  find('days-table').tBodies[0].replaceChildren(...days.slice().reverse().map((entry) =>
    element('tr', {}, element('th', {scope: 'row'}, entry.day),
      element('td', {class: 'number'}, count(entry.issued)))));
}

/* The names that a certificate has besides the one that it is listed under. */
function otherNames(cert) {
  const names = cert.names.filter((name) => name !== `dns:${cert.name}`);
  const items = names.slice(0, NAMES).map((name) => element('li', {}, visible(name)));
  if (names.length > NAMES) {
    items.push(element('li', {}, `and ${count(names.length - NAMES)} more`));
  }
  return items.length === 0 ? [] : [element('ul', {class: 'names muted'}, ...items)];
}

function certificate(cert, now) {
  return element('tr', {},
    element('th', {scope: 'row'}, visible(cert.name), ...foreign(cert.name), ...otherNames(cert)),
    cell('Subject', {}, visible(cert.subject)),
    cell('Label', {}, label(cert.label)),
    cell('Serial', {}, element('code', {}, cert.serial)),
    cell('Issued', {}, time(cert.issued_at, cert.issued_at.slice(11, 16), 'muted')),
    cell('Valid until', {}, time(cert.not_after, remaining(cert, now),
      endsSoon(cert, now) ? 'soon' : 'muted')),
    cell('Status', {}, element('span', {class: `badge ${cert.status}`}, cert.status)));
}

function drawNewest(newest, now) {
  find('newest').tBodies[0].replaceChildren(...newest.map((cert) => certificate(cert, now)));
}

/* The causes of refusals, over all operations; hidden while there are none. */
function drawRefused(counters) {
  const causes = new Map();
  for (const {code, count: number} of counters) {
    if (code !== 'ok') {
      causes.set(code, (causes.get(code) ?? 0) + number);
    }
  }
  const sorted = [...causes].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  find('refused').querySelector('tbody').replaceChildren(...sorted.map(([code, number]) =>
    element('tr', {}, element('th', {scope: 'row'}, element('code', {}, visible(code))),
      element('td', {class: 'number'}, count(number)))));
  find('refused').hidden = sorted.length === 0;
}

// ---- one reading ----------------------------------------------------------------------------------

/* Draws a part only when what it shows has changed, so that a selection and the focus stay. */
const drawn = new Map();

function part(name, draw, ...what) {
  const text = JSON.stringify(what);
  if (drawn.get(name) !== text) {
    draw(...what);
    drawn.set(name, text);
  }
}

let last = null; // the time of the summary on the page

function draw(summary) {
  const now = Date.parse(summary.now);
  const hour = now - now % 3600000; // "days left" need not be finer
  part('totals', drawTotals, summary.totals);
  part('labels', drawLabels, summary.labels);
  part('days', drawDays, summary.issued_per_day);
  part('newest', drawNewest, summary.newest, hour);
  find('welcome').hidden = summary.totals.issued > 0;
  find('figures').hidden = summary.totals.issued === 0;
  find('recent').hidden = summary.totals.issued === 0;
  last = summary.now;
}

/* Says something that needs attention; the region is announced when its text changes. */
function notice(title, ...more) {
  const node = find('notice');
  const now = element('div', {}, element('strong', {}, title), ' ', ...more);
  if (node.hidden || node.textContent !== now.textContent) {
    node.replaceChildren(now);
  }
  node.hidden = false;
}

function state(name) {
  document.body.dataset.state = name;
  const at = last === null ? '' : `${last.slice(0, 10)} ${last.slice(11, 19)} UTC`;
  find('freshness').textContent = last === null ? 'No figures yet'
    : name === 'ready' ? `As of ${at}` : `Old figures: as of ${at}`;
}

const STATUSES = {
  401: 'The web server asks who you are. Log in, then load this page again.',
  403: 'The web server does not let you see these figures.',
  404: 'The web server has no /status/summary: is status.cgi in its configuration?',
};

function ask(source) {
  return fetch(source, {cache: 'no-store', signal: AbortSignal.timeout(PATIENCE)});
}

/* The summary matters more: a server that has no counters just now leaves the old ones on the page. */
async function readCounters() {
  try {
    const response = await ask(COUNTERS);
    if (response.ok) {
      part('refused', drawRefused, (await response.json()).counters);
    }
  } catch {
    // The next reading of the summary says what is wrong.
  }
}

async function read() {
  let response;
  let text;
  try {
    response = await ask(SOURCE);
    text = await response.text();
  } catch {
    notice('The server cannot be reached.', 'Trying again every ten seconds.');
    return state('unreachable');
  }
  if (!response.ok) {
    notice(`The server has no figures just now (HTTP ${response.status}).`,
      visible(STATUSES[response.status] ?? text.trim(), REASON));
    return state('refused');
  }
  try {
    draw(JSON.parse(text));
  } catch {
    notice('The server answered something that is not a summary.',
      'Are this page and status.cgi of the same version?');
    return state('garbled');
  }
  find('notice').hidden = true;
  await readCounters();
  return state('ready');
}

let timer = 0;
let reading = false;

/* Reads, and again after EVERY; a page that nobody sees rests. */
async function run() {
  if (reading || document.hidden) {
    return;
  }
  reading = true;
  clearTimeout(timer);
  await read();
  reading = false;
  timer = setTimeout(run, EVERY);
}

for (const node of document.querySelectorAll('[data-fill=origin]')) {
  node.textContent = location.origin;
}
document.addEventListener('visibilitychange', run);
run();
