// The audit: a button, the verdict in one sentence, and where every unit is.

import { byId, figures, make } from './dom.js';
import { clock, number, span } from './format.js';

/** @import { AuditReport } from '../../audit/check.ts' */
/** @typedef {{ at: number, took: number, report: AuditReport }} AuditAnswer */

/** @param {string} url */
export function auditPanel(url) {
  const button = /** @type {HTMLButtonElement} */ (byId('audit-run'));
  const result = byId('audit-result');
  const details = byId('audit-details');
  button.addEventListener('click', async () => {
    // It stays focusable: who pressed it by keyboard stays where they were.
    if (button.getAttribute('aria-disabled') === 'true') return;
    button.setAttribute('aria-disabled', 'true');
    result.replaceChildren(make('p', { class: 'muted' }, 'Counting …'));
    try {
      const answer = await fetch(url, { cache: 'no-store' });
      const body = await answer.json();
      if (answer.ok) show(body);
      else fail(body.detail);
    } catch {
      fail('The console does not answer.');
    }
    button.removeAttribute('aria-disabled');
  });

  /** @param {string} why */
  const fail = (why) => {
    result.replaceChildren(make('p', { class: 'verdict bad' }, `The audit could not be made. ${why}`));
    details.replaceChildren();
  };
  /** @param {AuditAnswer} answer */
  const show = ({ at, took, report }) => {
    result.replaceChildren(
      make('p', { class: `verdict ${report.conserved ? 'good' : 'bad'}` }, sentence(report)),
      make('p', { class: 'muted' }, `Counted at ${clock(at)}, in ${took < 1000 ? 'less than a second' : span(took)}.`),
    );
    details.replaceChildren(
      make('ul', { class: 'findings' }, ...report.findings.map((finding) => make('li', {}, finding))),
      make('p', { class: 'equation' }, equation(report)),
      figures(
        'Where every unit is',
        ['Place', 'Units', 'Note'],
        report.places.map(({ place, units, note }) => [place, number(units), make('span', { class: 'muted' }, note)]),
      ),
    );
  };
}

/** @param {AuditReport} report */
const sentence = ({ conserved, findings, supplied }) =>
  conserved
    ? `Every one of the ${number(supplied)} units is where it should be.`
    : findings.length === 1
      ? 'One thing is not as it should be.'
      : `${findings.length} things are not as they should be.`;

/** @param {AuditReport} report */
const equation = ({ supplied, available, pool, inFlight, sold }) =>
  `${number(supplied)} supplied = ${number(available)} in the shards + ${number(pool)} in the pool + ${number(inFlight)} on the way + ${number(sold)} sold`;
