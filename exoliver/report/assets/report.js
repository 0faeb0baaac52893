// What a page gains where scripts run: a theme, pictures and tables to take away, tables to search, genes to look up.
'use strict';

const MINUS = '−';
const NOTHING = '–';
const PAGE = 25; // rows of a table that are shown at once
const PRINTED = 3; // pixels of a PNG for each of the picture, about 300 to the inch
const MATCHES = 12; // genes proposed
const MISSING = 65535;
const STEPS = 128; // of a doubling, as explorer.py packs counts
const CHANGE_STEP = 0.005; // of log2 fold changes; this and what follows as explorer.py packs them
const [FEW_PLACES, MIDDLE] = [0.995, 32768]; // from the first on one decimal is shown; added to signed numbers
const [FINE, COARSE, FINE_POWERS, SMALLEST_P] = [900, 90, 40, 59490]; // codes of p-values
const SMALLEST = 1e-300; // p-values below it are a limit of the arithmetic
const THIN = '\u202f';
const WORDS = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
const CROWD = 12; // up to so many samples of a group stand close to each other
const { DataTable, vegaEmbed } = globalThis;

// Small things

/** A new element with its attributes and children; texts become text. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A button that does something. */
function button(text, action, attributes = {}) {
  const made = element('button', { type: 'button', ...attributes }, text);
  made.addEventListener('click', action);
  return made;
}

/** Hands a file to the reader. */
function save(blob, name) {
  const link = element('a', { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** A number with so many decimals, minus and thousands as on the page. */
function fixed(value, places) {
  const [whole, ...rest] = value.toFixed(places).split('.');
  const text = [whole.replace(/\B(?=(\d{3})+$)/g, THIN), ...rest].join('.');
  return (/[1-9]/.test(text) ? text : text.replace('-', '')).replace('-', MINUS);
}

/** A number with so many significant digits. */
function number(value, digits = 2) {
  if (!Number.isFinite(value)) return NOTHING;
  const power = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))));
  return fixed(value, value === 0 ? 0 : Math.max(0, digits - 1 - power));
}

function pvalue(value) {
  if (Number.isNaN(value)) return NOTHING;
  if (value < SMALLEST) return '< 1e-300';
  if (value >= 0.995) return '1';
  return value >= 0.001 ? number(value) : value.toExponential(0);
}

/** A count of one sample: no more digits than are packed. */
function sampleCount(value) {
  return number(Number(value.toPrecision(3)), 3);
}

/** Text for HTML. */
function escaped(text) {
  return element('i', {}, text).innerHTML;
}

// Theme

function setUpTheme() {
  const select = document.getElementById('theme');
  select.value = document.documentElement.dataset.theme || '';
  select.addEventListener('change', () => setTheme(select.value));
  select.closest('.theme').hidden = false;
}

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  try {
    if (theme) localStorage.setItem('exoliver-theme', theme);
    else localStorage.removeItem('exoliver-theme');
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
}

// Figures

function setUpFigure(figure) {
  const name = figure.dataset.name;
  const row = element('p', { class: 'tools' }, 'Download ');
  row.append(
    button('SVG', () => save(pictureOf(figure), `${name}.svg`), { 'aria-label': `Download ${name} as SVG` }), ' ',
    button('PNG', () => savePng(figure, `${name}.png`), { 'aria-label': `Download ${name} as PNG` }),
  );
  figure.querySelector('figcaption').after(row);
}

/** The picture as a file of its own, in the colours of paper. */
function pictureOf(figure) {
  const copy = figure.querySelector('svg').cloneNode(true);
  const text = new XMLSerializer().serializeToString(copy);
  return new Blob([text], { type: 'image/svg+xml' });
}

async function savePng(figure, name) {
  const image = new Image();
  image.src = URL.createObjectURL(pictureOf(figure));
  await image.decode();
  const canvas = element('canvas', { width: image.width * PRINTED, height: image.height * PRINTED });
  const context = canvas.getContext('2d');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  canvas.toBlob((blob) => save(blob, name), 'image/png');
}

// Tables

/** Order of numbers with those that are missing last, whichever way. */
function byNumber(sign) {
  return (a, b) => {
    const [first, second] = [a, b].map((value) => (value === '' ? NaN : Number(value)));
    if (Number.isNaN(first) || Number.isNaN(second)) return Number.isNaN(first) - Number.isNaN(second);
    return sign * (first - second);
  };
}

function byWords(sign) {
  return (a, b) => sign * WORDS.compare(a, b);
}

/** What is searched is what is read; the library takes what it searches for HTML. */
function markCells(table) {
  for (const cell of table.tBodies[0].querySelectorAll('th, td')) {
    cell.dataset.search = escaped(cell.textContent);
    if (cell.dataset.order === undefined) cell.dataset.order = cell.textContent;
  }
}

/** Makes a table searchable and sortable, its order and captions as they were. */
function setUpTable(table, options = {}) {
  const name = table.dataset.name;
  const scroll = table.closest('.scroll');
  const titles = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  markCells(table);
  const filters = addFilters(table, titles);
  const tools = element('div', { class: 'tools' });
  const rows = options.data ? options.data.length : table.tBodies[0].rows.length;
  const made = new DataTable(table, {
    autoWidth: false,
    columnDefs: [{ targets: 'number', type: 'measure' }, { targets: '_all', type: 'words' }],
    language: words(),
    layout: { topStart: 'search', topEnd: () => tools, bottomStart: 'info', bottomEnd: rows > PAGE ? 'paging' : null },
    order: [],
    pageLength: PAGE,
    paging: rows > PAGE,
    titleRow: 0,
    ...options,
  });
  tools.append(...toolsOf(made, { name, titles, filters }));
  moveScroll(made.table().container(), scroll);
  return made;
}

/** Only what scrolls is a stop of the keyboard. */
function markScroll(scroll) {
  const isWider = scroll.scrollWidth > scroll.clientWidth || scroll.scrollHeight > scroll.clientHeight;
  if (isWider) scroll.tabIndex = 0;
  else scroll.removeAttribute('tabindex');
}

function watchScrolls() {
  const watch = new ResizeObserver((seen) => {
    new Set(seen.map(({ target }) => target.closest('.scroll')).filter(Boolean)).forEach(markScroll);
  });
  for (const scroll of document.querySelectorAll('.scroll')) {
    for (const part of [scroll, ...scroll.children]) watch.observe(part);
  }
}

function words() {
  const empty = 'No row.';
  return {
    search: 'Search', info: '_START_ to _END_ of _TOTAL_ rows', infoEmpty: empty, infoFiltered: '(of _MAX_)',
    zeroRecords: 'No row holds this.', emptyTable: empty, thousands: THIN,
  };
}

/** The part that scrolls is the table alone: its controls stay where they are. */
function moveScroll(container, scroll) {
  const place = container.querySelector('.dt-layout-table > .dt-layout-cell');
  scroll.replaceWith(container);
  place.classList.add('scroll');
  for (const name of ['role', 'tabindex', 'aria-label']) place.setAttribute(name, scroll.getAttribute(name));
}

/** A row of filters below the titles, hidden until it is asked for. */
function addFilters(table, titles) {
  const row = element('tr', { 'data-dt-order': 'disable', class: 'filters', hidden: '' });
  const heads = [...table.tHead.rows[0].cells];
  titles.forEach((title, place) => {
    const hint = heads[place].classList.contains('number') ? '< 0.05' : '';
    const input = element('input', { type: 'search', 'aria-label': `Filter by ${title}`, placeholder: hint });
    row.append(element('td', {}, input));
  });
  table.tHead.append(row);
  return row;
}

/** What a comparison such as `< 0.05` asks for: its sign and limit; a decimal comma is read as a point. */
function comparisonOf(text) {
  const bare = text.replaceAll(MINUS, '-').replace('≤', '<=').replace('≥', '>=').replace(/(?<=\d)[\u202f\u00a0](?=\d)/g, '');
  const asked = /^\s*([<>])(=?)\s*(-?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[-+]?\d+)?)\s*$/i.exec(bare);
  // `1,000` may be a thousand or one: it is not guessed.
  if (!asked || /^-?[1-9]\d{0,2},\d{3}$/.test(asked[3])) return null;
  return { sign: asked[1], isEqual: asked[2] !== '', limit: Number(asked[3].replace(',', '.')) };
}

/** What is true of a cell that passes a filter: a comparison, else letters within it; null for what is not understood. */
function filterOf(text, made, column, isNumber) {
  const asked = comparisonOf(text);
  if (!asked) {
    const letters = text.trim().toLowerCase();
    if (isNumber && (/[<>≤≥=]/.test(letters) || (/\d/.test(letters) && !/^[\d.e+−-]+$/.test(letters)))) return null;
    return (shown) => String(shown).toLowerCase().includes(letters);
  }
  return (shown, row, index) => {
    const key = made.cell(index, column).render('sort');
    const value = key === '' ? NaN : Number(key);
    return (asked.sign === '<' ? value < asked.limit : value > asked.limit) || (asked.isEqual && value === asked.limit);
  };
}

/** Filters the rows by what stands in the fields, and says which of them it did not understand. */
function applyFilters(made, { inputs, isNumber, press, said }) {
  const lost = [];
  let active = 0;
  inputs.forEach((input, column) => {
    const passes = input.value.trim() ? filterOf(input.value, made, column, isNumber[column]) : undefined;
    if (passes === null) lost.push(input.value.trim());
    if (passes) active += 1;
    input.setAttribute('aria-invalid', String(passes === null));
    made.column(column).search.fixed('own', passes || null);
  });
  made.draw();
  press.textContent = active ? `Filters (${active})` : 'Filters';
  said.textContent = lost.length ? `Not understood: “${lost.join('”, “')}”. Write < 0.05 or >= 2.` : '';
}

function toolsOf(made, { name, titles, filters }) {
  const said = element('span', { role: 'status', class: 'said' });
  const press = filterButton(filters);
  const inputs = [...filters.querySelectorAll('input')];
  const isNumber = inputs.map((input) => input.placeholder !== '');
  inputs.forEach((input) => input.addEventListener('input', () => applyFilters(made, { inputs, isNumber, press, said })));
  return [
    press, columnChoice(made, titles),
    button('Copy', () => copy(asText(made, titles, '\t'), said)),
    // Spreadsheets take a CSV for UTF-8 only if it opens with the mark of it.
    button('CSV', () => save(new Blob(['\ufeff', asText(made, titles, ',')], { type: 'text/csv' }), `${name}.csv`)),
    button('TSV', () => save(new Blob([asText(made, titles, '\t')], { type: 'text/plain' }), `${name}.tsv`)),
    said,
  ];
}

function filterButton(filters) {
  const made_button = button('Filters', () => {
    filters.hidden = !filters.hidden;
    made_button.setAttribute('aria-expanded', String(!filters.hidden));
    if (!filters.hidden) filters.querySelector('input').focus();
  }, { 'aria-expanded': 'false' });
  return made_button;
}

/** Which columns are shown. */
function columnChoice(made, titles) {
  const list = element('div', { class: 'choice' });
  titles.forEach((title, place) => {
    const box = element('input', { type: 'checkbox' });
    box.checked = true;
    box.addEventListener('change', () => made.column(place).visible(box.checked));
    list.append(element('label', {}, box, ' ', title));
  });
  return element('details', { class: 'columns' }, element('summary', {}, 'Columns'), list);
}

async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = 'Copied.';
  } catch {
    said.textContent = 'The browser does not allow this; download the table instead.';
  }
  const told = said.textContent;
  setTimeout(() => { if (said.textContent === told) said.textContent = ''; }, 4000);
}

/** The rows that are found, in their order, with the columns that are shown; an interval is three columns. */
function asText(made, titles, mark) {
  const rows = made.rows({ search: 'applied', order: 'applied' }).indexes().toArray();
  const columns = titles.map((_, place) => place).filter((place) => made.column(place).visible());
  const parts = columns.map((place) => columnParts(titles[place], rows.map((row) => made.cell(row, place)), isMeasure(made, place)));
  const lines = [parts.map(([heads]) => heads), ...rows.map((_, row) => parts.map(([, cells]) => cells[row]))];
  return lines.map((line) => `${line.flat().map((text) => field(text, mark)).join(mark)}\n`).join('');
}

function isMeasure(made, place) {
  return made.column(place).header().classList.contains('number');
}

/** Titles of a column and of each cell what stands below them. */
function columnParts(title, cells, isNumber) {
  const texts = cells.map(cellText);
  if (!isNumber) return [[title], texts.map((text) => [text])];
  const values = texts.map((text, row) => intervalParts(text, cells[row].node()?.dataset.order));
  if (!values.some((own) => own && own.length === 3)) {
    return [[title], texts.map((text, row) => [values[row] ? values[row][0] : text])];
  }
  const [, name, words] = /^(.*?)(\s*\([^()]*interval\))?$/.exec(title);
  const heads = [name, `${name}, low${words || ''}`, `${name}, high${words || ''}`];
  return [heads, texts.map((text, row) => [...(values[row] || [text]), '', ''].slice(0, 3))];
}

/** The numbers of a cell that holds one, or one with its interval; null for others. */
function intervalParts(text, order) {
  const bare = text.replace(/[\u2007\u2008]/g, '').trim();
  const [, shown, low, high] = /^(.*?)(?: \((\S+) to (\S+)\))?$/.exec(bare) || [];
  const numbers = [shown, ...(low ? [low, high] : [])].map(plainNumber);
  if (numbers.includes(null)) return null;
  return [fuller(shown, numbers[0], order), ...numbers.slice(1)];
}

/** A number as shown, as text that programs read: `−1 234.5`, `÷4`, `< 1e-300`, `45 %`; null for words. */
function plainNumber(text) {
  const bare = text.replaceAll(THIN, '').replaceAll(MINUS, '-');
  const found = /^[<>≤≥~ ]*([×÷]?)(-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)(?:[ \u00a0]?%)?$/.exec(bare);
  if (!found) return null;
  return found[1] === '÷' ? String(Number((1 / Number(found[2])).toPrecision(6))) : found[2];
}

/** All digits of a number, where the page has more than it shows of the same number. */
function fuller(shown, plain, order) {
  if (!order || shown.includes('÷') || shown.includes('%')) return order && shown.includes('÷') ? order : plain;
  const [digits, power] = plain.split('e');
  const last = 10 ** (Number(power || 0) - (digits.split('.')[1] || '').length);
  return Math.abs(Number(order) - Number(plain)) <= last ? order : plain;
}

function cellText(cell) {
  const given = String(cell.render('export'));
  const node = cell.node();
  if (!node || node.dataset.search === undefined) return given;
  const summary = node.querySelector('summary');
  if (!summary) return node.textContent;
  return `${summary.textContent}: ${node.textContent.slice(summary.textContent.length)}`;
}

/** One field of a file: numbers as programs read them, and no text that a spreadsheet would take for a formula. */
function field(text, mark) {
  const bare = String(text).replace(/[\u2007\u2008]/g, '').trim();
  const plain = bare.replace(/(?<=\d)\u202f(?=\d)/g, '').replace(MINUS, '-');
  if (bare === NOTHING || bare === '') return bare && 'NA';
  if (plain !== '' && Number.isFinite(Number(plain))) return plain;
  const safe = /^[=+\-@\t\r]/.test(String(text)) || /^[=+\-@]/.test(bare) ? `'${bare}` : bare;
  if (mark === '\t') return safe.replace(/[\t\r\n]+/g, ' ');
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function setUpTables() {
  if (!DataTable) return;
  Object.assign(DataTable.ext.type.order, {
    'measure-asc': byNumber(1), 'measure-desc': byNumber(-1), 'words-asc': byWords(1), 'words-desc': byWords(-1),
  });
  DataTable.ext.errMode = 'throw';
  const made = [...document.querySelectorAll('table[data-interactive]')].map((table, place) => {
    table.dataset.name = `${table.closest('section').id}_${place + 1}`;
    return setUpTable(table);
  });
  addEventListener('beforeprint', () => made.forEach((table) => table.page.len(-1).draw(false)));
  addEventListener('afterprint', () => made.forEach((table) => table.page.len(PAGE).draw(false)));
}

/** What is folded is read on paper too; the choice of columns is not. */
function setUpPrint() {
  let opened = [];
  addEventListener('beforeprint', () => {
    opened = [...opened, ...document.querySelectorAll('details:not([open], .columns)')];
    opened.forEach((part) => { part.open = true; });
  });
  addEventListener('afterprint', () => {
    opened.forEach((part) => { part.open = false; });
    opened = [];
  });
}

// Any gene

/** The numbers of all genes; what explorer.py packed. */
async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let place = 4 + length;
  const take = (size) => {
    const numbers = Uint16Array.from({ length: size }, (_, i) => bytes[place + i] | (bytes[place + size + i] << 8));
    place += 2 * size;
    return numbers;
  };
  const size = header.genes[0].length;
  const [least, above] = [take(size), take(size * header.samples.length)];
  const [lower, upper, places] = [take(size), take(size), take(size)];
  const means = Float64Array.from(lower, (part, gene) => (part + 65536 * upper[gene]) / 10 ** places[gene]);
  const contrasts = header.contrasts.map(([id, words, isOmnibus]) => ({
    id, words, ...(isOmnibus ? {} : { steps: take(size), below: take(size), further: take(size) }), p: take(size), padj: take(size),
  }));
  return { ...header, least, above, means, contrasts, size, shared: sharedNames(header.genes), hidden: new Set() };
}

/** Symbols that more than one gene has, in small letters. */
function sharedNames([ids, symbols]) {
  const [seen, shared] = [new Set(), new Set()];
  symbols.forEach((symbol, gene) => {
    const name = (symbol || ids[gene]).toLowerCase();
    if (seen.has(name)) shared.add(name);
    seen.add(name);
  });
  return shared;
}

function countOf(data, gene, sample) {
  return 2 ** ((data.least[gene] + data.above[gene * data.samples.length + sample]) / STEPS) - 1;
}

/** Effect of a gene in a contrast, its interval in units of the last digit shown; NaN for what is missing. */
function effectOf(contrast, gene) {
  const read = (numbers) => (!numbers || numbers[gene] === MISSING ? NaN : numbers[gene]);
  const change = (read(contrast.steps) - MIDDLE + 0.5) * CHANGE_STEP;
  const unit = Math.abs(change) < FEW_PLACES ? 100 : 10;
  const [shown, below] = [Math.round(change * unit), read(contrast.below)];
  return {
    change, low: (shown - below) / unit, high: (shown + below + read(contrast.further) - 1) / unit,
    p: pvalueOf(contrast.p[gene]), padj: pvalueOf(contrast.padj[gene]),
  };
}

/** The middle of the p-values that have this code. */
function pvalueOf(code) {
  if (code === MISSING) return NaN;
  if (code >= SMALLEST_P) return 0;
  const isFine = code < FINE * FINE_POWERS;
  const [steps, first, rest] = isFine ? [FINE, 0, code] : [COARSE, FINE_POWERS, code - FINE * FINE_POWERS];
  const digits = (10 * steps) / 9 - 1 - (rest % steps);
  return Math.min(1, Number(`${digits}.5e${-first - Math.floor(rest / steps) - (isFine ? 2 : 1)}`));
}

function nameOf(data, gene) {
  return data.genes[1][gene] || data.genes[0][gene];
}

/** A name that no other gene has: the identifier where a symbol is shared. */
function ownNameOf(data, gene) {
  const name = nameOf(data, gene);
  return data.shared.has(name.toLowerCase()) ? data.genes[0][gene] : name;
}

function intervalOf({ change, low, high }) {
  if (Number.isNaN(change)) return NOTHING;
  const places = Math.abs(change) >= FEW_PLACES ? 1 : 2; // as the tables of the page have them
  return Number.isNaN(low) ? fixed(change, places) : `${fixed(change, places)} (${fixed(low, places)} to ${fixed(high, places)})`;
}

/** Genes whose symbol or identifier is, opens with, or holds what is typed, in this order. */
function findGenes(data, typed, most = MATCHES) {
  const text = typed.trim().toLowerCase();
  if (!text) return [];
  const found = [[], [], []];
  for (let gene = 0; gene < data.size && found[0].length + found[1].length < most; gene += 1) {
    const places = [data.genes[1][gene], data.genes[0][gene]].map((name) => name.toLowerCase().indexOf(text));
    const isWhole = [data.genes[1][gene], data.genes[0][gene]].some((name) => name.toLowerCase() === text);
    if (isWhole) found[0].push(gene);
    else if (places.includes(0)) found[1].push(gene);
    else if (places.some((place) => place > 0) && found[2].length < most) found[2].push(gene);
  }
  return found.flat().slice(0, most);
}

/** Whole names first, wherever they stand: genes that open alike must not hide one. */
function bestGene(data, typed) {
  const text = typed.trim().toLowerCase();
  for (const names of [data.genes[1], data.genes[0]]) {
    const gene = names.findIndex((name) => name.toLowerCase() === text);
    if (text && gene >= 0) return gene;
  }
  return findGenes(data, typed)[0];
}

/** Samples of the arms that are drawn, each with its place beside the others of its group. */
function pointsOf(data, gene) {
  const shown = data.samples.map(([sample, arm, time], place) => ({ sample, arm, time, count: countOf(data, gene, place) }));
  const groups = new Map();
  for (const point of shown) {
    const key = `${point.arm}@${point.time}`;
    groups.set(key, [...(groups.get(key) || []), point]);
  }
  for (const group of groups.values()) {
    const width = group.length <= CROWD ? 0.6 : 0.9;
    group.forEach((point, i) => { point.offset = group.length < 2 ? 0 : width * ((2 * i) / (group.length - 1) - 1); });
  }
  return shown.filter((point) => !data.hidden.has(point.arm)).sort((a, b) => a.time - b.time || a.arm - b.arm);
}

function chartOf(data, gene, points) {
  const spec = structuredClone(data.chart);
  const values = points.map((point) => ({
    sample: point.sample, arm: data.arms[point.arm], when: data.times[point.time] || '', offset: point.offset,
    count: sampleCount(point.count), shown: Math.max(point.count, 0.5),
  }));
  const all = values.map((value) => Math.log2(value.shown));
  const low = Math.floor(Math.min(...all));
  const high = Math.max(Math.ceil(Math.max(...all)), low + 1);
  const step = Math.max(1, Math.ceil((high - low) / 6));
  const ticks = Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, i) => 2 ** (low + i * step));
  const scales = [spec.spec.encoding.y, spec.spec.layer[1].encoding.y];
  for (const y of scales) {
    y.scale.domain = [2 ** low, 2 ** high];
    y.axis.values = ticks;
  }
  spec.spec.encoding.x.scale = { domain: data.arms.filter((_, arm) => !data.hidden.has(arm)) };
  spec.title = { text: `${nameOf(data, gene)} in every sample`, ...(data.simulated ? { subtitle: 'simulated data' } : {}) };
  return { ...spec, data: { values } };
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function altOf(data, gene, points) {
  const groups = Map.groupBy(points, (point) => [data.arms[point.arm], data.times[point.time]].filter(Boolean).join(', '));
  const medians = [...groups].map(([words, own]) => `${words}: ${sampleCount(median(own.map((point) => point.count)))}`);
  const simulated = data.simulated ? 'Simulated data. ' : '';
  return `${simulated}Normalised counts of ${nameOf(data, gene)} in ${points.length} samples. Medians: ${medians.join('; ')}.`;
}

function fillTable(table, titles, rows) {
  const cells = (tag, texts, scope) => texts.map((text, place) => {
    const own = place && tag === 'td' ? 'td' : 'th';
    const given = { class: titles[place][1], ...(own === 'th' ? { scope } : {}) };
    return element(own, given, text);
  });
  const head = element('tr', {}, ...cells('th', titles.map(([title]) => title), 'col'));
  const body = rows.map((texts) => element('tr', {}, ...cells('td', texts, 'row')));
  table.replaceChildren(element('thead', {}, head), element('tbody', {}, ...body));
}

async function drawGene(box, data, gene) {
  data.gene = gene;
  const part = box.querySelector('.gene');
  const points = pointsOf(data, gene);
  const [symbol, id] = [data.genes[1][gene], data.genes[0][gene]];
  part.querySelector('h3').textContent = symbol && symbol !== id ? `${symbol} (${id})` : id;
  part.hidden = false;
  fillTable(part.querySelector('.effects'), EFFECT_TITLES, data.contrasts.map((contrast) => {
    const effect = effectOf(contrast, gene);
    return [contrast.words, intervalOf(effect), pvalue(effect.p), pvalue(effect.padj)];
  }));
  fillTable(part.querySelector('.counts'), COUNT_TITLES, points.map((point) => (
    [point.sample, data.arms[point.arm], data.times[point.time] || NOTHING, sampleCount(point.count)]
  )));
  await drawChart(part.querySelector('figure'), data, gene, points);
}

const EFFECT_TITLES = [
  ['Contrast', 'short'], ['log2 fold change (95 % interval)', 'number'], ['p', 'number'], ['Adjusted p', 'number'],
];
const COUNT_TITLES = [['Sample', 'short'], ['Arm', 'short'], ['Time', 'short'], ['Normalised count', 'number']];

async function drawChart(figure, data, gene, points) {
  const place = figure.querySelector('.scroll');
  figure.dataset.name = `gene__${nameOf(data, gene).replace(/[^A-Za-z0-9._-]+/g, '_')}${data.simulated ? '_simulated' : ''}`;
  if (!points.length) {
    place.replaceChildren(element('p', {}, 'No arm is chosen.'));
    return;
  }
  const theme = getComputedStyle(document.documentElement).getPropertyValue('--paper').trim() === '#fcfcfb' ? 'light' : 'dark';
  const options = { mode: 'vega-lite', actions: false, ast: true, renderer: 'svg', tooltip: { theme } };
  const stage = element('div');
  const result = await vegaEmbed(stage, chartOf(data, gene, points), options);
  if (data.gene !== gene) return;
  data.view?.finalize();
  data.view = result.view;
  place.replaceChildren(stage);
  const svg = stage.querySelector('svg');
  for (const part of svg.querySelectorAll('[role]')) part.removeAttribute('role');
  svg.setAttribute('role', 'img');
  markScroll(place);
  svg.setAttribute('aria-label', altOf(data, gene, points));
}

/** All tested genes of a contrast, read from the numbers as they are needed. */
function setUpList(box, data, show) {
  const table = box.querySelector('table.genes');
  if (!table) return;
  const select = box.querySelector('select.contrast');
  const chosen = () => data.contrasts.find((contrast) => contrast.id === select.value);
  const column = (title, sort, display) => ({ title, data: null, className: 'number', type: 'measure', render: rendered(sort, display) });
  const own = (get, display) => [(gene) => get(effectOf(chosen(), gene)), (gene) => display(effectOf(chosen(), gene))];
  const name = (gene) => nameOf(data, gene);
  const link = (gene) => `<button type="button" class="link" data-gene="${gene}">${escaped(name(gene))}</button>`;
  const plain = { data: null, className: 'short', type: 'words' };
  const columns = [
    { ...plain, title: 'Gene', render: wording(name, link) },
    { ...plain, title: 'Identifier', render: wording((gene) => data.genes[0][gene]) },
    column('Mean count', (gene) => data.means[gene], (gene) => number(data.means[gene])),
    column('log2 fold change (95 % interval)', ...own((effect) => effect.change, intervalOf)),
    column('p', ...own((effect) => effect.p, (effect) => pvalue(effect.p))),
    column('Adjusted p', ...own((effect) => effect.padj, (effect) => pvalue(effect.padj))),
  ];
  select.value = data.first.find((id) => data.contrasts.some((contrast) => contrast.id === id)) || select.value;
  fillTable(table, columns.map(({ title, className }) => [title, className]), []);
  const made = setUpTable(table, { columns, data: tested(data, chosen()), deferRender: true, paging: true });
  select.addEventListener('change', () => made.clear().rows.add(tested(data, chosen())).draw());
  table.addEventListener('click', ({ target }) => {
    const press = target.closest('[data-gene]');
    if (press) show(Number(press.dataset.gene), { isMoved: true });
  });
}

/** What a column of words gives for each use: HTML to show and to search, else the words. */
function wording(words, display = (gene) => escaped(words(gene))) {
  return (gene, type) => ({ display, filter: (own) => escaped(words(own)) }[type] || words)(gene);
}

function rendered(sort, display) {
  return (gene, type) => {
    if (type !== 'sort' && type !== 'type') return display(gene);
    const value = sort(gene);
    return Number.isNaN(value) ? '' : value;
  };
}

/** Genes with a p-value: the smallest adjusted one first, among equal ones the smallest p-value. */
function tested(data, contrast) {
  const genes = Array.from({ length: data.size }, (_, gene) => gene).filter((gene) => contrast.p[gene] !== MISSING);
  const key = (numbers, gene) => (numbers[gene] === MISSING ? -1 : numbers[gene]);
  return genes.sort((a, b) => key(contrast.padj, b) - key(contrast.padj, a) || contrast.p[b] - contrast.p[a] || a - b);
}

function geneInAddress() {
  const found = /^#gene=(.+)$/.exec(location.hash);
  try {
    return found && decodeURIComponent(found[1]);
  } catch {
    return null;
  }
}

function connectExplorer(box, data) {
  const input = box.querySelector('#gene');
  const said = box.querySelector('.said');
  const show = async (gene, { isAsked = true, isMoved = false } = {}) => {
    input.value = ownNameOf(data, gene);
    if (isAsked) history.replaceState(null, '', `#gene=${encodeURIComponent(ownNameOf(data, gene))}`);
    await drawGene(box, data, gene);
    if (data.gene !== gene || !isAsked) return;
    const heading = box.querySelector('.gene h3');
    said.textContent = `${heading.textContent} is shown.`;
    heading.scrollIntoView({ block: isMoved ? 'start' : 'nearest' });
    if (isMoved) heading.focus({ preventScroll: true });
  };
  const ask = (typed, options) => {
    const gene = bestGene(data, typed);
    if (gene !== undefined) return show(gene, options);
    if (!typed.trim()) return null;
    clearGene(box, data);
    said.textContent = `No gene with counts is called “${typed.trim()}”.`;
    return null;
  };
  input.addEventListener('input', () => suggest(data, input));
  input.addEventListener('change', () => ask(input.value));
  box.querySelector('form').addEventListener('submit', (event) => {
    event.preventDefault();
    ask(input.value);
  });
  addEventListener('hashchange', () => geneInAddress() && ask(geneInAddress(), { isMoved: true }));
  setUpList(box, data, show);
  connectArms(box, data);
  return { show, ask };
}

/** Takes away a gene that is no longer the one asked for. */
function clearGene(box, data) {
  data.gene = undefined;
  box.querySelector('.gene').hidden = true;
  if (geneInAddress()) history.replaceState(null, '', location.pathname + location.search);
}

function suggest(data, input) {
  const options = findGenes(data, input.value).map((gene) => (
    element('option', { value: ownNameOf(data, gene) }, data.shared.has(nameOf(data, gene).toLowerCase()) ? nameOf(data, gene) : data.genes[0][gene])
  ));
  document.getElementById('gene-matches').replaceChildren(...options);
}

function connectArms(box, data) {
  box.querySelector('.arms').addEventListener('change', ({ target }) => {
    if (target.checked) data.hidden.delete(Number(target.value));
    else data.hidden.add(Number(target.value));
    if (data.gene !== undefined) drawGene(box, data, data.gene);
  });
}

/** A gene to begin with: one that the study asks for, else the first of the list. */
function firstGene(data) {
  const asked = data.genes[1].indexOf(data.asked[0] ?? null);
  if (asked >= 0) return asked;
  const contrast = data.contrasts.find(({ id }) => id === data.first[0]);
  return (contrast && tested(data, contrast)[0]) ?? 0;
}

async function startExplorer(box) {
  const data = await unpack(document.getElementById('explorer-data').textContent);
  if (!data.size) return;
  const { show, ask } = connectExplorer(box, data);
  const asked = geneInAddress();
  await (asked ? ask(asked, { isMoved: true }) : show(firstGene(data), { isAsked: false }));
  box.dataset.state = 'ready';
}

function setUpExplorer() {
  const box = document.querySelector('.explorer');
  if (!box) return;
  const sentence = box.parentElement.querySelector('.unscripted');
  if (!vegaEmbed || !globalThis.DecompressionStream) {
    sentence.textContent = sentence.textContent.replace(/^.*? does not run here\./, 'This browser cannot unpack the genes.');
    return;
  }
  sentence.hidden = true;
  box.hidden = false;
  // Unpacked when the reader comes near: a page that is read from the top is not held up.
  const watch = new IntersectionObserver((seen) => {
    if (!seen.some((entry) => entry.isIntersecting)) return;
    watch.disconnect();
    startExplorer(box);
  }, { rootMargin: '600px' });
  watch.observe(box);
  if (geneInAddress()) box.closest('section').scrollIntoView();
}

setUpTheme();
document.querySelectorAll('figure').forEach(setUpFigure);
setUpTables();
setUpExplorer();
setUpPrint();
watchScrolls();
performance.mark('interactive');
