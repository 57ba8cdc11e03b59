// What this layer tells of itself, as Prometheus metrics.

export interface ReflectorMetrics {
  relisted(kind: string): void;
  restarted(kind: string, why: string): void;
  heard(kind: string): void;
}
