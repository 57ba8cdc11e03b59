// One buyer's visit, from the first click to an order or a final no. A buyer does what a shop's own client would do:
// asks again after Retry-After, asks again when an answer is lost (every write is idempotent, R34), and gives up when
// its time to wait is over.

import type { Millis } from '../../dataplane/protocol/units.ts';
import type { Buyer } from './plan.ts';
import type { Answer, Shop } from './shop.ts';
import type { Tally } from './tally.ts';

export interface Visit {
  shop: Shop;
  tally: Tally;
  comeBack: boolean;
  /** When this buyer gives up, by the tally's clock. */
  until: () => Millis;
  pause: (ms: Millis) => Promise<void>;
  random: () => number;
}

/** Answers after which the same request may be sent again. */
const AGAIN = new Set(['unavailable', 'busy', 'paused', 'rate-limited', 'shortage', 'not-open']);

export async function visit(buyer: Buyer, v: Visit): Promise<void> {
  const { tally } = v;
  tally.arrived++;
  try {
    let token = await purchase(buyer, v, buyer.arrival);
    if (token && buyer.abandon) {
      tally.abandoned++;
      if (!v.comeBack) return;
      await v.pause(token.expires * (1 + v.random()));
      token = await purchase(buyer, v, tally.now());
    }
    while (token) {
      await v.pause(buyer.think);
      if ((await checkout(buyer, token, v)) === 'done') return;
      // Too slow, or the node lost its data: the unit is on sale again, and so is this buyer.
      token = await purchase(buyer, v, tally.now());
    }
  } finally {
    tally.left++;
  }
}

interface Token {
  text: string;
  expires: Millis;
  /** When the purchase was sent that brought the token. */
  asked: Millis;
}

/** Sends until there is an answer to keep; undefined: the buyer waited too long, which is counted. */
async function ask(
  what: 'purchases' | 'checkouts',
  v: Visit,
  send: () => Promise<Answer>,
  intended: Millis,
): Promise<{ answer: Answer; asked: Millis } | undefined> {
  let last = 'timeout';
  let soldOut: { answer: Answer; asked: Millis } | undefined;
  for (let first = true; first || v.tally.now() < v.until(); first = false) {
    const asked = first ? intended : v.tally.now();
    let wait: Millis = 200;
    try {
      const answer = await send();
      v.tally.answered(what, asked);
      const soldOutForNow = answer.problem === 'sold-out' && answer.retryAfter !== undefined;
      if (answer.problem === undefined || !(AGAIN.has(answer.problem) || soldOutForNow)) return { answer, asked };
      last = answer.problem;
      soldOut = soldOutForNow ? { answer, asked } : undefined;
      v.tally.problem(last);
      wait = answer.retryAfter ?? wait;
    } catch (error) {
      soldOut = undefined;
      last = error instanceof Error && 'code' in error ? String(error.code) : 'connection';
      v.tally.problem(last);
    }
    v.tally.retries++;
    v.tally.waiting++;
    await v.pause(wait * (1 + 0.5 * v.random()));
    v.tally.waiting--;
  }
  if (soldOut) return soldOut;
  if (last === 'shortage') v.tally.shortages++;
  else v.tally.error(`gave up: ${last}`);
  return undefined;
}

async function purchase(buyer: Buyer, v: Visit, intended: Millis): Promise<Token | undefined> {
  const { tally, shop } = v;
  const click = () => shop.post('/purchase', buyer.name, { quantity: buyer.quantity });
  const clicked = tally.now();
  const second = buyer.duplicate ? clickAgain(click, v, intended) : undefined;
  const first = await ask('purchases', v, click, intended);
  const twin = await second;
  // A token is a token, whichever click it came by.
  const reply = !accepted(first?.answer) && accepted(twin) ? { answer: twin, asked: intended } : first;
  if (!reply) return undefined;
  const { answer, asked } = reply;
  if (answer.problem === 'sold-out') {
    tally.finallySoldOut(buyer.quantity);
    return undefined;
  }
  if (answer.problem !== undefined) {
    tally.error(`purchase: ${answer.problem}`);
    return undefined;
  }
  const text = String(answer.body.token);
  const expires = Number(answer.body.expiresInMs);
  if (answer.status === 201 || twin?.status === 201) tally.tokens++;
  if (accepted(twin)) {
    tally.duplicates++;
    const isAnother = twin !== answer && (twin.body.token !== text || (answer.status === 201 && twin.status === 201));
    // A shop that takes longer than a token lives has given one, and after it another one; so has a node that lost its data
    // before a click that it did not answer was repeated.
    const isRepeated = asked !== intended;
    if (isAnother && !isRepeated && tally.now() - clicked < expires) tally.error('a duplicate click got another token');
  }
  return { text, expires, asked };
}

const accepted = (answer: Answer | undefined): answer is Answer => answer !== undefined && answer.problem === undefined;

/** Sends the request once, whatever comes of it. It is counted when it is answered, not when the first click stops waiting. */
async function clickAgain(
  click: () => Promise<Answer>,
  { tally }: Visit,
  intended: Millis,
): Promise<Answer | undefined> {
  try {
    const answer = await click();
    tally.answered('purchases', intended);
    return answer;
  } catch {
    return undefined;
  }
}

async function checkout(buyer: Buyer, { text: token, asked }: Token, v: Visit): Promise<'done' | 'expired'> {
  const { tally, shop } = v;
  if (buyer.forged) await refused('token-invalid', buyer.name, forge(token), v, () => tally.forgedRefused++);
  if (buyer.foreign) await refused('token-not-yours', `${buyer.name}-thief`, token, v, () => tally.foreignRefused++);
  const reply = await ask('checkouts', v, () => shop.post('/checkout', buyer.name, { token }), tally.now());
  if (!reply) return 'done';
  const { answer } = reply;
  if (answer.problem === 'token-expired') {
    tally.problem('token-expired');
    return 'expired';
  }
  if (answer.problem !== undefined) {
    tally.error(`checkout: ${answer.problem}`);
    return 'done';
  }
  const quantity = Number(answer.body.quantity);
  tally.sale(quantity, asked);
  if (!buyer.cancel) return 'done';
  const cancelled = await ask(
    'checkouts',
    v,
    () => shop.post(`/orders/${String(answer.body.order)}/cancel`, buyer.name, {}),
    tally.now(),
  );
  if (cancelled?.answer.problem === undefined) tally.cancelled += quantity;
  else tally.error(`cancel: ${cancelled.answer.problem}`);
  return 'done';
}

/** Another signature: the last characters replaced. */
const forge = (token: string): string => `${token.slice(0, -4)}${token.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;

async function refused(problem: string, name: string, token: string, v: Visit, count: () => void): Promise<void> {
  const reply = await ask('checkouts', v, () => v.shop.post('/checkout', name, { token }), v.tally.now());
  if (reply?.answer.problem === problem) count();
  else v.tally.error(`expected ${problem}, got ${reply?.answer.problem ?? reply?.answer.status ?? 'nothing'}`);
}
