// Where things are within a pod: ports, folders, and the users that programs run as.

export const PORTS = { http: 8080, metrics: 9090, redis: 6379, postgres: 5432, refills: 7070 } as const;

export const PATHS = {
  config: '/etc/flashsale/config',
  secrets: '/etc/flashsale/secrets',
  lists: '/etc/flashsale/lists',
  superuser: '/etc/flashsale/superuser',
  redis: '/etc/redis',
  data: '/data',
  tmp: '/tmp',
} as const;

export const CONFIG_FILE = 'sale.json';

/** The file of the n-th ConfigMap a list is made of, below `PATHS.lists`. */
export const listFile = (which: 'allow' | 'deny', n: number): string => `${which}/${n}/ids`;

/** User and group alike; those of Redis and PostgreSQL are what their official images have. */
export const USERS = { flashsale: 10_001, redis: 999, postgres: 999 } as const;
