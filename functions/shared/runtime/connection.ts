import { optionalEnv } from './env.ts';

/**
 * How many times as long as on AWS a function waits for the services it calls. Local runs set it: there, all of them
 * share one machine, and one that is busy is no outage.
 */
const PATIENCE = Number(optionalEnv('PATIENCE') ?? 1);
if (!(PATIENCE >= 1)) throw new RangeError('PATIENCE is a number from 1 on.');

/** So long may a service take. @param time on AWS, in whatever unit */
export const patient = (time: number): number => time * PATIENCE;

/** What a client of AWS's SDK has to know to reach its service; a part of its configuration. */
export interface Connection {
  /** Where another service than AWS's listens. */
  readonly endpoint?: string;
  /** With three attempts, whoever waits for the service gets a 503 within three seconds. */
  readonly requestHandler: {
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
    readonly throwOnRequestTimeout: true;
  };
}

/** @param variable the environment variable in which a local run says where the service listens */
export function connection(variable: string): Connection {
  const endpoint = optionalEnv(variable);
  return {
    requestHandler: {
      connectionTimeout: patient(400),
      requestTimeout: patient(750),
      throwOnRequestTimeout: true,
    },
    ...(endpoint !== undefined && { endpoint }),
  };
}
