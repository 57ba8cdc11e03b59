// Figures and times in words. Pure. What is not known is a dash, never a zero.

export const UNKNOWN = '–';

const whole = new Intl.NumberFormat('en');

/** @param {number | undefined} n */
export const number = (n) => (n === undefined ? UNKNOWN : whole.format(Math.round(n)));

/** Of a rate: `0.4`, `12`, `1,234`. @param {number | undefined} perSecond */
export const rate = (perSecond) =>
  perSecond === undefined ? UNKNOWN : perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : number(perSecond);

/** 100 only when it is all of it. @param {number | undefined} part @param {number | undefined} all */
export const percent = (part, all) =>
  part === undefined || !all ? '' : `${part >= all ? 100 : Math.min(99, Math.floor((100 * part) / all))} %`;

/** `42 s`, `7 min`, `3 h 5 min`, `2 d 4 h`. @param {number} ms */
export function span(ms) {
  const total = Math.max(0, Math.round(ms / 1000));
  const [days, hours, minutes] = [
    Math.floor(total / 86_400),
    Math.floor(total / 3600) % 24,
    Math.floor(total / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes >= 10) return `${minutes} min`;
  return minutes > 0 ? `${minutes} min ${total % 60} s` : `${total} s`;
}

/** Of a latency. @param {number} seconds */
export function latency(seconds) {
  const ms = seconds * 1000;
  if (ms >= 1000) return `${seconds.toFixed(1)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

/** `not-qualified` → `Not qualified`. @param {string} code */
export const words = (code) => code.charAt(0).toUpperCase() + code.slice(1).replaceAll('-', ' ');

/** A time of day, to the second. @param {number} ms */
export const clock = (ms) => new Date(ms).toLocaleTimeString('en-GB');
