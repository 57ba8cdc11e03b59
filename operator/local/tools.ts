// The programs local mode runs, found on this machine or named in one line each with what to install. Looks at files
// only: starts nothing, installs nothing.

import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { UserError } from '../../dataplane/runtime/user-error.ts';
import type { KafkaPrograms } from './kafka.ts';

export interface Tools {
  node: string;
  redisServer: string;
  /** The folder of initdb and postgres. */
  postgresBin: string;
  /** PostgreSQL refuses to run as root: the user to run it as then. */
  postgresUser: { uid: number; gid: number } | undefined;
  /** Java and the jars of Kafka; absent when the sale uses a Kafka of its owner's. */
  kafka: (KafkaPrograms & { java: string }) | undefined;
}

const KAFKA_VERSION = '4.1.0';

/** Throws `UserError` with the first thing that is missing. */
export function findTools(options: { kafka: boolean }, env: NodeJS.ProcessEnv = process.env): Tools {
  return {
    node: process.execPath,
    redisServer:
      findProgram(env.FLASHSALE_REDIS_SERVER ?? 'redis-server', env) ??
      missing('redis-server', 'install it (Debian: apt-get install redis-server) or set FLASHSALE_REDIS_SERVER'),
    postgresBin: findPostgres(env),
    postgresUser: process.getuid?.() === 0 ? systemUser('postgres') : undefined,
    kafka: options.kafka ? { java: findJava(env), ...findKafka(env) } : undefined,
  };
}

const missing = (what: string, advice: string): never => {
  throw new UserError(`${what} is missing: ${advice}`);
};

/** Finds a program by its path, or by its name on the PATH. */
function findProgram(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const places = name.includes('/') ? [name] : (env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  return places.find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);

/** Debian keeps one folder per major version off the PATH: the newest one is taken. */
function findPostgres(env: NodeJS.ProcessEnv): string {
  const debian = '/usr/lib/postgresql';
  const versions = list(debian).sort((a, b) => Number(b) - Number(a));
  const places = env.FLASHSALE_POSTGRES_BIN
    ? [env.FLASHSALE_POSTGRES_BIN]
    : [...versions.map((version) => join(debian, version, 'bin')), ...(env.PATH ?? '').split(delimiter)];
  return (
    places.find((bin) => isProgram(join(bin, 'initdb')) && isProgram(join(bin, 'postgres'))) ??
    missing(
      'PostgreSQL',
      'install it (Debian: apt-get install postgresql) or set FLASHSALE_POSTGRES_BIN to the folder of initdb and postgres',
    )
  );
}

function findJava(env: NodeJS.ProcessEnv): string {
  const homes = [
    ...(env.JAVA_HOME ? [env.JAVA_HOME] : []),
    ...list('/usr/lib/jvm').map((name) => join('/usr/lib/jvm', name)),
  ];
  const places = env.FLASHSALE_JAVA ? [] : homes.map((home) => join(home, 'bin', 'java'));
  return (
    findProgram(env.FLASHSALE_JAVA ?? 'java', env) ??
    places.find(isProgram) ??
    missing(
      'Java 17 or newer, for Kafka,',
      'install it (Debian: apt-get install default-jre-headless), set FLASHSALE_JAVA, or name a Kafka of your own in spec.kafka.bootstrapServers',
    )
  );
}

/** The folder of files that may be deleted at any time and are made again. */
export const cacheFolder = (env: NodeJS.ProcessEnv = process.env): string =>
  env.FLASHSALE_CACHE ?? join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'flashsale');

/** The file of classes lies beside the folder of jars, where hack/lib/kafka-classes.ts puts it. */
export function findKafka(env: NodeJS.ProcessEnv = process.env): KafkaPrograms {
  const libs = env.FLASHSALE_KAFKA_LIBS ?? join(cacheFolder(env), `kafka-${KAFKA_VERSION}`, 'libs');
  const classes = join(libs, '..', 'classes.jsa');
  if (list(libs).some((name) => /^kafka_.*\.jar$/.test(name)))
    return { libs, ...(existsSync(classes) ? { classes } : {}) };
  return missing(
    `Kafka (no jars in ${libs})`,
    'run hack/flashsale, which fetches it, set FLASHSALE_KAFKA_LIBS, or name a Kafka of your own in spec.kafka.bootstrapServers',
  );
}

function systemUser(name: string): { uid: number; gid: number } {
  const line = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(readFileSync('/etc/passwd', 'utf8'));
  if (!line)
    return missing(
      `the system user ${name}`,
      'PostgreSQL refuses to run as root; make that user, or run flashsale as somebody else',
    );
  return { uid: Number(line[1]), gid: Number(line[2]) };
}
