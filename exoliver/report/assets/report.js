// What a page gains where scripts run: a theme, pictures and tables to take away, tables to search, genes to look up.
'use strict';

const MINUS = '−';
const NOTHING = '–';
const PAGE = 25; // rows of a table that are shown at once
const PRINTED = 3; // pixels of a PNG for each of the picture, about 300 to the inch
const MATCHES = 12; // genes proposed
const MISSING = 65535;
const STEPS = 128; // of a doubling, as explorer.py packs counts
const SMALLEST = 300; // -log10 of the smallest p-value that is a number
const HALF_WIDTH = 1.959964; // standard errors on either side of a 95 % normal interval
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

/** A number with so many decimals, its minus as on the page. */
function fixed(value, places) {
  const text = value.toFixed(places);
  return (Number(text) === 0 ? text.replace('-', '') : text).replace('-', MINUS);
}

/** A number with so many significant digits. */
function number(value, digits = 2) {
  if (!Number.isFinite(value)) return NOTHING;
  const power = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))));
  return fixed(value, value === 0 ? 0 : Math.max(0, digits - 1 - power));
}

/** A p-value from its -log10. */
function pvalue(power) {
  if (Number.isNaN(power)) return NOTHING;
  if (power >= SMALLEST) return '< 1e-300';
  const value = 10 ** -power;
  if (value >= 0.995) return '1';
  return value >= 0.001 ? number(value) : value.toExponential(0);
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

function words() {
  const empty = 'No row.';
  return {
    search: 'Search', info: '_START_ to _END_ of _TOTAL_ rows', infoEmpty: empty, infoFiltered: '(of _MAX_)',
    zeroRecords: 'No row holds this.', emptyTable: empty, thousands: '\u202f',
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

/** What is true of a cell that passes a filter: a comparison such as `< 0.05` for numbers, else letters within it. */
function filterOf(text, made, column) {
  const asked = /^\s*([<>])(=?)\s*([-−+.\de]+)\s*$/.exec(text);
  const limit = asked && Number(asked[3].replace(MINUS, '-'));
  if (!asked || Number.isNaN(limit)) {
    const letters = text.trim().toLowerCase();
    return (shown) => String(shown).toLowerCase().includes(letters);
  }
  return (shown, row, index) => {
    const key = made.cell(index, column).render('sort');
    const value = key === '' ? NaN : Number(key);
    return (asked[1] === '<' ? value < limit : value > limit) || (asked[2] !== '' && value === limit);
  };
}

function toolsOf(made, { name, titles, filters }) {
  filters.querySelectorAll('input').forEach((input, column) => {
    input.addEventListener('input', () => {
      made.column(column).search.fixed('own', input.value.trim() ? filterOf(input.value, made, column) : null).draw();
    });
  });
  const said = element('span', { role: 'status', class: 'said' });
  return [
    filterButton(made, filters), columnChoice(made, titles),
    button('Copy', () => copy(asText(made, titles, '\t'), said)),
    button('CSV', () => save(new Blob([asText(made, titles, ',')], { type: 'text/csv' }), `${name}.csv`)),
    button('TSV', () => save(new Blob([asText(made, titles, '\t')], { type: 'text/plain' }), `${name}.tsv`)),
    said,
  ];
}

function filterButton(made, filters) {
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
  setTimeout(() => { said.textContent = ''; }, 4000);
}

/** The rows that are found, in their order, with the columns that are shown. */
function asText(made, titles, mark) {
  const columns = titles.map((_, place) => place).filter((place) => made.column(place).visible());
  const rows = made.rows({ search: 'applied', order: 'applied' }).indexes().toArray();
  const lines = rows.map((row) => columns.map((column) => field(cellText(made.cell(row, column)), mark)));
  return [columns.map((column) => field(titles[column], mark)), ...lines].map((line) => `${line.join(mark)}\n`).join('');
}

function cellText(cell) {
  const given = cell.render('export');
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
  const contrasts = header.contrasts.map(([id, words, isOmnibus]) => ({
    id, words,
    change: isOmnibus ? null : take(size), error: isOmnibus ? null : take(size), p: take(size), padj: take(size),
  }));
  return { ...header, least, above, contrasts, size, hidden: new Set() };
}

function countOf(data, gene, sample) {
  return 2 ** ((data.least[gene] + data.above[gene * data.samples.length + sample]) / STEPS) - 1;
}

/** Effect of a gene in a contrast; NaN for what is missing. */
function effectOf(contrast, gene) {
  const read = (numbers, unit, middle = 0) => (
    !numbers || numbers[gene] === MISSING ? NaN : (numbers[gene] - middle) / unit
  );
  return {
    change: read(contrast.change, 1000, 32768), error: read(contrast.error, 1000),
    p: read(contrast.p, 100), padj: read(contrast.padj, 100),
  };
}

function nameOf(data, gene) {
  return data.genes[1][gene] || data.genes[0][gene];
}

function intervalOf({ change, error }) {
  if (Number.isNaN(change)) return NOTHING;
  const places = Math.abs(change) >= 0.995 ? 1 : 2; // as the tables of the page have them
  if (Number.isNaN(error)) return fixed(change, places);
  const [low, high] = [-1, 1].map((side) => fixed(change + side * HALF_WIDTH * error, places));
  return `${fixed(change, places)} (${low} to ${high})`;
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
    count: number(point.count, 3), shown: Math.max(point.count, 0.5),
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
  const medians = [...groups].map(([words, own]) => `${words}: ${number(median(own.map((point) => point.count)), 3)}`);
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
    [point.sample, data.arms[point.arm], data.times[point.time] || NOTHING, number(point.count, 3)]
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
  svg.setAttribute('aria-label', altOf(data, gene, points));
}

/** All tested genes of a contrast, read from the numbers as they are needed. */
function setUpList(box, data, show) {
  const table = box.querySelector('table.genes');
  if (!table) return;
  const select = box.querySelector('select.contrast');
  const means = Float64Array.from({ length: data.size }, (_, gene) => {
    let sum = 0;
    for (let sample = 0; sample < data.samples.length; sample += 1) sum += countOf(data, gene, sample);
    return sum / data.samples.length;
  });
  const chosen = () => data.contrasts.find((contrast) => contrast.id === select.value);
  const column = (title, sort, display) => ({ title, data: null, className: 'number', type: 'measure', render: rendered(sort, display) });
  const own = (get, display) => [(gene) => get(effectOf(chosen(), gene)), (gene) => display(effectOf(chosen(), gene))];
  const name = (gene) => nameOf(data, gene);
  const link = (gene) => `<button type="button" class="link" data-gene="${gene}">${escaped(name(gene))}</button>`;
  const plain = { data: null, className: 'short', type: 'words' };
  const columns = [
    { ...plain, title: 'Gene', render: wording(name, link) },
    { ...plain, title: 'Identifier', render: wording((gene) => data.genes[0][gene]) },
    column('Mean count', (gene) => means[gene], (gene) => number(means[gene])),
    column('log2 fold change (95 % interval)', ...own((effect) => effect.change, intervalOf)),
    column('p', ...own((effect) => 10 ** -effect.p, (effect) => pvalue(effect.p))),
    column('Adjusted p', ...own((effect) => 10 ** -effect.padj, (effect) => pvalue(effect.padj))),
  ];
  select.value = data.first.find((id) => data.contrasts.some((contrast) => contrast.id === id)) || select.value;
  fillTable(table, columns.map(({ title, className }) => [title, className]), []);
  const made = setUpTable(table, { columns, data: tested(data, chosen()), deferRender: true, paging: true });
  select.addEventListener('change', () => made.clear().rows.add(tested(data, chosen())).draw());
  table.addEventListener('click', ({ target }) => {
    const press = target.closest('[data-gene]');
    if (press) show(Number(press.dataset.gene));
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
  const show = (gene, isAsked = true) => {
    said.textContent = '';
    input.value = nameOf(data, gene);
    if (isAsked) history.replaceState(null, '', `#gene=${encodeURIComponent(data.genes[0][gene] && nameOf(data, gene))}`);
    if (isAsked) box.querySelector('.gene').scrollIntoView({ block: 'nearest' });
    return drawGene(box, data, gene);
  };
  const ask = (typed) => {
    const gene = bestGene(data, typed);
    if (gene !== undefined) return show(gene);
    said.textContent = typed.trim() ? `No gene with counts is called “${typed.trim()}”.` : '';
    return null;
  };
  input.addEventListener('input', () => suggest(data, input));
  input.addEventListener('change', () => ask(input.value));
  box.querySelector('form').addEventListener('submit', (event) => {
    event.preventDefault();
    ask(input.value);
  });
  addEventListener('hashchange', () => geneInAddress() && ask(geneInAddress()));
  setUpList(box, data, show);
  connectArms(box, data);
  return { show, ask };
}

function suggest(data, input) {
  const options = findGenes(data, input.value).map((gene) => (
    element('option', { value: nameOf(data, gene) }, data.genes[0][gene])
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
  await (asked ? ask(asked) : show(firstGene(data), false));
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
performance.mark('interactive');
