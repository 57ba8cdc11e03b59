// Runs wrk, a closed-loop HTTP load tool in C, so that on a small machine the client costs little beside the server.
// Requests come from a file of prepared lines (path, buyer, body), each thread taking its own part, in order.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Shot {
  path: string;
  buyer: string;
  body: string;
}

export interface Shots {
  requests: number;
  seconds: number;
  perSecond: number;
  /** Answers with a status of 400 and above. */
  refused: number;
  p50Ms: number;
  p99Ms: number;
}

const SCRIPT = `
local threads = 0
function setup(thread) thread:set("number", threads); threads = threads + 1 end
function init(args)
  shots = {}; turn = 0
  local count, line = tonumber(args[2]), 0
  for l in io.lines(args[1]) do
    if line % count == number then
      local path, buyer, body = l:match("^([^\\t]*)\\t([^\\t]*)\\t(.*)$")
      shots[#shots + 1] = wrk.format("POST", path, {["content-type"]="application/json", ["x-buyer-id"]=buyer}, body)
    end
    line = line + 1
  end
end
function request()
  turn = turn + 1
  if turn > #shots then turn = 1 end
  return shots[turn]
end
function done(summary, latency, requests)
  io.write(string.format('\\nRESULT {"requests":%d,"seconds":%f,"refused":%d,"errors":%d,"p50Ms":%f,"p99Ms":%f}\\n', summary.requests,
    summary.duration / 1e6, summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
`;

/**
 * Fires shots that are good for one time only: `make` prepares as many as are asked for, and a turn for which they did
 * not last is made again with more. `first`: how many to begin with.
 */
export function volleys(
  first: number,
  make: (count: number) => Shot[] | Promise<Shot[]>,
): (url: string, options: { seconds: number; connections: number }) => Promise<Shots> {
  let count = first;
  return async (url, options) => {
    for (;;) {
      const shots = await make(count);
      const fired = await wrk(url, shots, options);
      if (fired.requests <= shots.length) return fired;
      count = Math.ceil(fired.requests * 1.5);
    }
  };
}

/** Fires the shots for a number of seconds over keep-alive connections; wraps around when they run out. */
export async function wrk(
  url: string,
  shots: Shot[],
  options: { seconds: number; connections: number },
): Promise<Shots> {
  const folder = await mkdtemp(join(tmpdir(), 'flashsale-wrk-'));
  try {
    const script = join(folder, 'shots.lua');
    const file = join(folder, 'shots.tsv');
    await writeFile(script, SCRIPT);
    await writeFile(file, shots.map((s) => `${s.path}\t${s.buyer}\t${s.body}\n`).join(''));
    const { stdout } = await promisify(execFile)(
      'wrk',
      [
        '-t',
        '1',
        '-c',
        String(options.connections),
        '-d',
        `${options.seconds}s`,
        '--timeout',
        '10s',
        '-s',
        script,
        url,
        '--',
        file,
        '1',
      ],
      { timeout: (options.seconds + 60) * 1000 },
    );
    const line = /RESULT (.*)/.exec(stdout)?.[1];
    if (line === undefined) throw new Error(`wrk printed no result:\n${stdout}`);
    const result = JSON.parse(line) as Omit<Shots, 'perSecond'> & { errors: number };
    if (result.errors > 0) throw new Error(`${result.errors} requests of wrk got no answer`);
    return { ...result, perSecond: result.requests / result.seconds };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
