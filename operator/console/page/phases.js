// The phases of a sale in a merchant's words. Pure.

import { span } from './format.js';

/** @import { SaleSnapshot, SaleSummary } from '../source.ts' */
/** @typedef {'good' | 'calm' | 'warn' | 'off'} Tone */

/** @type {Record<NonNullable<SaleSummary['phase']>, { word: string, tone: Tone }>} */
const PHASES = {
  Pending: { word: 'Starting', tone: 'warn' },
  Resizing: { word: 'Resizing', tone: 'warn' },
  Scheduled: { word: 'Scheduled', tone: 'calm' },
  Selling: { word: 'Selling', tone: 'good' },
  Paused: { word: 'Paused', tone: 'warn' },
  SoldOut: { word: 'Sold out', tone: 'calm' },
  Closed: { word: 'Closed', tone: 'off' },
};

/** @param {SaleSummary['phase']} phase @returns {{ word: string, tone: Tone }} */
export const phaseInWords = (phase) => (phase ? PHASES[phase] : { word: 'Unknown', tone: 'off' });

/**
 * What goes with the phase: how long it has been open, or until when something happens.
 * @param {SaleSnapshot} sale
 * @param {number | undefined} soldOutIn milliseconds from the first unit to the last
 */
export function sinceInWords({ phase, at, window, openSince }, soldOutIn) {
  const { opensAt, closesAt } = window;
  if (opensAt !== undefined && at < opensAt) return `opens in ${span(opensAt - at)}`;
  if (closesAt !== undefined && at >= closesAt) return `closed ${span(at - closesAt)} ago`;
  const parts = [];
  if (phase === 'SoldOut' && soldOutIn !== undefined) parts.push(`in ${span(soldOutIn)}`);
  if (openSince !== undefined && at >= openSince) parts.push(`open for ${span(at - openSince)}`);
  if (closesAt !== undefined) parts.push(`closes in ${span(closesAt - at)}`);
  return parts.join(' · ');
}
