// The few things we ask of a document. Text that has not changed is not written again, so that a selection stays and
// nothing is announced twice.

/**
 * The element with this id, which the page has.
 * @param {string} id @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

/** @param {Element} element @param {string} text */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {Element} element @param {string} name @param {string} value */
export function set(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {Record<string, string>} attributes @param {(Node | string)[]} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag @param {Record<string, string | number>} attributes @param {(Node | string)[]} children
 */
export function makeSvg(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * A table for figures: the first column names, the others are numbers.
 * @param {string} caption @param {string[]} head @param {(string | Node)[][]} rows
 */
export function figures(caption, head, rows) {
  return make(
    'table',
    {},
    make('caption', { class: 'sr' }, caption),
    make('thead', {}, make('tr', {}, ...head.map((text) => make('th', { scope: 'col' }, text)))),
    make(
      'tbody',
      {},
      ...rows.map(([name = '', ...cells]) =>
        make('tr', {}, make('th', { scope: 'row' }, name), ...cells.map((cell) => make('td', {}, cell))),
      ),
    ),
  );
}

/**
 * What is folded away is made when somebody unfolds it, and made anew, while it is open, by the function this answers.
 * @param {HTMLElement} details @param {() => Node} content
 */
export function unfolding(details, content) {
  const body = make('div', { class: 'unfolded', tabindex: '0', role: 'region' });
  body.setAttribute('aria-label', details.querySelector('summary')?.textContent ?? '');
  details.append(body);
  const draw = () => {
    if (details instanceof HTMLDetailsElement && details.open) body.replaceChildren(content());
  };
  details.addEventListener('toggle', draw);
  return draw;
}

/**
 * A colour of the style sheet as it is now, in light or dark, for what is painted.
 * @param {string} name of a custom property
 */
export function colour(name) {
  probe.style.color = `var(${name})`;
  if (!probe.isConnected) document.body.append(probe);
  return getComputedStyle(probe).color;
}
const probe = make('i', { hidden: '' });
