import { optionalEnv } from './env.ts';

/** What a log line may carry: plain values chosen by us, never a body, a token or an error of somebody else. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Writes one line of JSON. `console.log` would be wrapped once more by Lambda, and `JSON.stringify` throws on hostile
 * nesting, hence flat fields of plain values only.
 */
export function log(level: 'INFO' | 'WARN' | 'ERROR', event: string, fields: LogFields = {}): void {
  write({ timestamp: new Date().toISOString(), level, event, ...fields });
}

/** Where CloudWatch keeps our counts; the stack names one of its own. */
const NAMESPACE = optionalEnv('METRICS_NAMESPACE') ?? 'Latchkey';

/**
 * Writes one line that is both: fields to search for, and one count of a metric in CloudWatch's embedded metric
 * format, without dimensions. A library for it would cost a cold start 1.3 ms more.
 */
export function logCounted(level: 'INFO' | 'WARN', event: string, metric: string, fields: LogFields): void {
  const _aws = {
    Timestamp: Date.now(),
    CloudWatchMetrics: [{ Namespace: NAMESPACE, Dimensions: [[]], Metrics: [{ Name: metric, Unit: 'Count' }] }],
  };
  write({ timestamp: new Date().toISOString(), level, event, ...fields, [metric]: 1, _aws });
}

const write = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`);

/**
 * What may be said of an error in a log: the names along its chain of causes.
 *
 * @param causes so many of them at the most, because a chain can lead back to where it began
 */
export function nameOf(error: unknown, causes = 5): string {
  if (!(error instanceof Error)) return typeof error;
  return error.cause === undefined || causes === 0 ? error.name : `${error.name} < ${nameOf(error.cause, causes - 1)}`;
}
