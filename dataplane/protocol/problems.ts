// The catalogue of everything a buyer can be told instead of yes. A refusal is a decision inside this program; a
// problem is what a client sees of it: an RFC 9457 problem document with a stable `type`. docs/errors.md has a section
// for each (a test holds the two together). A code is a promise to clients: new ones may come, but none is ever
// renamed. Details never name a buyer, a secret or a machine of ours.

/** Says what a client should do about a problem, in the words of docs/errors.md. */
export type Advice =
  /** The same request, unchanged, after the Retry-After seconds: nothing was lost, and nothing is done twice. */
  | 'retry'
  /** The request itself is wrong: change it. */
  | 'change'
  /** The answer will not change; stop asking. */
  | 'stop';

interface Entry {
  status: number;
  title: string;
  /** The text of the detail, in which `{name}` is filled in from the refusal's parameters. */
  detail: string;
  advice: Advice;
  /** The seconds for Retry-After where nothing better is known. */
  retryAfter?: number;
}

export const PROBLEMS = {
  malformed: { status: 400, title: 'The request is malformed', detail: '{what}', advice: 'change' },
  unauthenticated: { status: 401, title: 'Who is buying is not known', detail: '{what}', advice: 'change' },
  'not-open': {
    status: 403,
    title: 'The sale has not opened yet',
    detail: 'The sale opens at {opensAt}.',
    advice: 'retry',
  },
  closed: { status: 403, title: 'The sale is over', detail: 'The sale closed at {closesAt}.', advice: 'stop' },
  'not-qualified': {
    status: 403,
    title: 'You do not qualify for this sale',
    detail: '{why}',
    advice: 'stop',
  },
  'quantity-limit': {
    status: 403,
    title: 'Too many units in one purchase',
    detail: 'One purchase may ask for at most {maxQuantity}; this one asked for {quantity}.',
    advice: 'change',
  },
  'limit-reached': {
    status: 403,
    title: 'Your limit for this sale is reached',
    detail: 'One buyer may order at most {perBuyer} in this sale; you have ordered {ordered} and asked for {quantity}.',
    advice: 'stop',
  },
  'token-invalid': {
    status: 403,
    title: 'The token is not one of this sale',
    detail: 'The token was not issued by this sale, or was altered. Send it exactly as POST /purchase gave it.',
    advice: 'change',
  },
  'token-not-yours': {
    status: 403,
    title: 'The token is another buyer’s',
    detail: 'Only the buyer who purchased a token can check out with it.',
    advice: 'change',
  },
  'cross-site': {
    status: 403,
    title: 'A page of another site may not do this',
    detail: 'A browser sent this for a page of another site, which this sale does not let act for its visitors.',
    advice: 'stop',
  },
  'not-found': { status: 404, title: 'There is nothing here', detail: 'See GET /openapi.json.', advice: 'change' },
  'order-not-found': {
    status: 404,
    title: 'You have no such order',
    detail: 'No order of yours has this id.',
    advice: 'change',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The method is not allowed here',
    detail: 'Allowed here: {allow}.',
    advice: 'change',
  },
  'request-timeout': {
    status: 408,
    title: 'The request took too long to arrive',
    detail: 'Send the whole request within {seconds} s.',
    advice: 'retry',
  },
  'sold-out': {
    status: 409,
    title: 'Sold out',
    detail: 'Not enough units are left. With Retry-After: some are reserved and may come back.',
    advice: 'stop',
  },
  'order-final': {
    status: 409,
    title: 'The order is final',
    detail: 'This sale takes no payments: an order is final at checkout.',
    advice: 'stop',
  },
  'order-paid': {
    status: 409,
    title: 'The order is paid',
    detail: 'A paid order cannot be cancelled here.',
    advice: 'stop',
  },
  'refund-due': {
    status: 409,
    title: 'This payment is due back',
    detail: 'The order was cancelled, or paid by another payment, before this payment arrived. A refund is recorded.',
    advice: 'stop',
  },
  'token-expired': {
    status: 410,
    title: 'The token has expired',
    detail: 'The token ended before it was checked out, and its units are on sale again. Purchase again.',
    advice: 'change',
  },
  'too-large': {
    status: 413,
    title: 'The request body is too large',
    detail: 'A body may have at most {limit} bytes.',
    advice: 'change',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The request must say that it is JSON',
    detail: 'Send the header Content-Type: application/json with every POST, also with one that has no body.',
    advice: 'change',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    detail: 'Wait {seconds} s before the next request.',
    advice: 'retry',
  },
  'reservations-lapsed': {
    status: 429,
    title: 'Too many of your reservations lapsed',
    detail: 'You let {lapsed} reservations lapse. Wait {seconds} s before the next one.',
    advice: 'retry',
  },
  'headers-too-large': {
    status: 431,
    title: 'The request headers are too large',
    detail: 'There may be at most {count} headers, of {limit} bytes together.',
    advice: 'change',
  },
  busy: {
    status: 503,
    title: 'Too many buyers at this moment',
    detail: 'More buyers ask at once than can be answered soon. Nothing was done, and nothing is lost: ask again.',
    advice: 'retry',
    retryAfter: 1,
  },
  paused: {
    status: 503,
    title: 'Purchases are paused',
    detail: 'Purchases go on soon. Checkouts, payments and cancellations are not affected.',
    advice: 'retry',
    retryAfter: 2,
  },
  shortage: {
    status: 503,
    title: 'The units of this token are on their way',
    detail: 'Your units are reserved and being moved to where they are sold. The token stays good: check out again.',
    advice: 'retry',
    retryAfter: 1,
  },
  unavailable: {
    status: 503,
    title: 'Not available right now',
    detail: 'It is not known whether this was done. Send the same request again: nothing is done twice.',
    advice: 'retry',
    retryAfter: 1,
  },
} as const satisfies Record<string, Entry>;

export type ProblemCode = keyof typeof PROBLEMS;
export const PROBLEM_CODES = Object.keys(PROBLEMS) as ProblemCode[];
export const isProblemCode = (text: string): text is ProblemCode => Object.hasOwn(PROBLEMS, text);

export const PROBLEM_TYPE = 'https://flashsale.dev/problems/';
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** One refusal: the problem's code, the parameters of its detail, and when to ask again. */
export interface Refusal {
  problem: ProblemCode;
  parameters?: Readonly<Record<string, string | number>>;
  /** The seconds for Retry-After, instead of the catalogue's. */
  retryAfter?: number;
}

export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
}

export const statusOf = (refusal: Refusal): number => PROBLEMS[refusal.problem].status;

/** Returns the seconds for the header Retry-After, at least 1, or undefined for no such header. */
export function retryAfterOf(refusal: Refusal): number | undefined {
  const entry: Entry = PROBLEMS[refusal.problem];
  const seconds = refusal.retryAfter ?? entry.retryAfter;
  return seconds === undefined ? undefined : Math.max(1, Math.ceil(seconds));
}

export function problemDocument({ problem, parameters = {} }: Refusal): ProblemDocument {
  const { title, status, detail } = PROBLEMS[problem];
  return {
    type: PROBLEM_TYPE + problem,
    title,
    status,
    detail: detail.replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole)),
  };
}
