// The line to the server: snapshots as they come, and how the line is. Comes back by itself; rests while nobody looks.

/** @import { Sample, SaleSnapshot } from '../source.ts' */

/**
 * live: snapshots come. lost: nothing is heard. gone: there is no such sale. trouble: the server is there, but cannot
 * read the sale. refused: the server wants to know who asks.
 * @typedef {'live' | 'lost' | 'gone' | 'trouble' | 'refused'} Line
 */

/**
 * @typedef {object} Listener
 * @property {(begin: { samples: Sample[], audit: boolean }) => void} begin first of all, and again after a cut
 * @property {(snapshot: SaleSnapshot) => void} snapshot
 * @property {(line: Line, why: string | undefined) => void} line told when it changes; `why`: a sentence of the server's
 */

/** Silent for so long, a line is lost. */
const SILENCE_TIMEOUT = 5000;
const RETRY = 2000;

/**
 * @param {string} url of the sale's snapshot
 * @param {Listener} listener
 * @returns what somebody may press who does not want to wait
 */
export function connect(url, listener) {
  /** @type {EventSource | undefined} */
  let stream;
  /** @type {Line | undefined} */
  let line;
  let heard = performance.now();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retry;

  /** @param {Line} now @param {string} [why] */
  const become = (now, why) => {
    if (line === now) return;
    line = now;
    listener.line(now, why);
  };
  /** @param {SaleSnapshot} snapshot */
  const hear = (snapshot) => {
    heard = performance.now();
    become('live');
    listener.snapshot(snapshot);
  };

  const close = () => {
    clearTimeout(retry);
    stream?.close();
    stream = undefined;
  };
  const open = () => {
    close();
    heard = performance.now();
    const opened = new EventSource(`${url}/stream`);
    stream = opened;
    opened.addEventListener('begin', ({ data }) => listener.begin(JSON.parse(data)));
    opened.addEventListener('snapshot', ({ data }) => hear(JSON.parse(data)));
    opened.addEventListener('trouble', ({ data }) => {
      heard = performance.now();
      become('trouble', JSON.parse(data).detail);
    });
    opened.addEventListener('gone', () => {
      close();
      become('gone');
    });
    opened.addEventListener('error', () => {
      if (stream !== opened) return;
      // A stream that was refused tells nobody why, and does not come back by itself.
      if (opened.readyState === EventSource.CLOSED) void askOnce();
      else become('lost');
    });
  };

  const askOnce = async () => {
    close();
    try {
      const answer = await fetch(url, { cache: 'no-store' });
      const body = await answer.json();
      if (answer.ok) hear(body);
      else become(answer.status === 404 ? 'gone' : answer.status === 401 ? 'refused' : 'trouble', body.detail);
    } catch {
      become('lost');
    }
    retry = setTimeout(open, RETRY);
  };

  setInterval(() => {
    if (stream && performance.now() - heard > SILENCE_TIMEOUT) {
      become('lost');
      void askOnce();
    }
  }, 1000);
  // A page that nobody sees takes up no place on the server.
  document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()));
  open();
  return open;
}
