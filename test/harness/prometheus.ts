// A real Prometheus in a temporary folder on a free port of 127.0.0.1, which reads what a test tells it to. Stop it in
// the test's `after`; the folder goes with it.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePorts } from './ports.ts';
import { until } from './until.ts';

export interface Scrape {
  job: string;
  /** `host:port` of whoever serves /metrics. */
  address: string;
  /** What a cluster would label its series with. */
  labels: Record<string, string>;
}

export interface Sample {
  metric: Record<string, string>;
  value: number;
}

export interface TestPrometheus {
  url: string;
  query(expr: string): Promise<Sample[]>;
  /** Names of all metrics it has. */
  metrics(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function startPrometheus(options: {
  scrapes: Scrape[];
  rules: string[];
  /** Seconds from one reading, and one evaluation of the rules, to the next. */
  every: number;
}): Promise<TestPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'flashsale-prometheus-'));
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  writeFileSync(join(folder, 'prometheus.yaml'), stringify(configuration(options)));
  const logFile = join(folder, 'prometheus.log');
  const output = openSync(logFile, 'a');
  const child = spawn(
    process.env.FLASHSALE_PROMETHEUS ?? 'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', output, output] },
  );
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    process.off('exit', kill);
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  const get = async <T>(path: string, parameters: Record<string, string> = {}): Promise<T> => {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const answer = (await response.json()) as { data: T; error?: string };
    if (!response.ok) throw new Error(answer.error);
    return answer.data;
  };
  try {
    await until('Prometheus to answer', async () => {
      if (child.exitCode !== null) throw new Error(`Prometheus ended:\n${readFileSync(logFile, 'utf8').slice(-2000)}`);
      return (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok;
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    async query(expr) {
      const { result } = await get<{ result: { metric: Record<string, string>; value: [number, string] }[] }>('query', {
        query: expr,
      });
      return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
    },
    metrics: () => get<string[]>('label/__name__/values'),
    stop,
  };
}

function configuration({ scrapes, rules, every }: { scrapes: Scrape[]; rules: string[]; every: number }) {
  const jobs = [...new Set(scrapes.map(({ job }) => job))];
  return {
    global: { scrape_interval: `${every}s`, scrape_timeout: `${every}s`, evaluation_interval: `${every}s` },
    rule_files: rules,
    scrape_configs: jobs.map((job) => ({
      job_name: job,
      static_configs: scrapes
        .filter((scrape) => scrape.job === job)
        .map(({ address, labels }) => ({ targets: [address], labels })),
    })),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await gone;
}
