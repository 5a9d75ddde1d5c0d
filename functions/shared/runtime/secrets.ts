import { get } from 'node:http';
import { Outage } from '../domain/refusal.ts';
import type { Seconds, UnixSeconds } from '../domain/time.ts';
import { now } from './clock.ts';
import { patient } from './connection.ts';
import { optionalEnv, readSettings } from './env.ts';
import { log, nameOf } from './log.ts';

/** Where the AWS Parameters and Secrets extension listens; a local run names another place. */
const EXTENSION = optionalEnv('SECRETS_ENDPOINT') ?? 'http://localhost:2773';

const ANSWER_WITHIN_MS = patient(1_000);
/** After a load that failed, or that was asked for before its time, there is no other for so long. */
const COOL_DOWN_SECONDS: Seconds = 10;

const settings = readSettings('keyRefreshInterval', 'keyMaxStale');

/** How old a value may get. */
export interface CacheTerms {
  /** It is loaded anew from then on. */
  readonly freshFor: Seconds;
  /** It stays in service no longer, where it cannot be loaded. */
  readonly staleFor: Seconds;
}

const TERMS: CacheTerms = { freshFor: settings.keyRefreshInterval, staleFor: settings.keyMaxStale };

/**
 * Gives a value that was read from Secrets Manager or Parameter Store and understood.
 *
 * @param suffices whether a value has what is looked for: one that has not is loaded anew, once in ten seconds, and then
 *   given whether it has it or not
 * @throws {Outage} where there is no value, or only one that is too old or does not suffice and cannot be loaded
 */
export type Loaded<Value> = (suffices?: (value: Value) => boolean) => Promise<Value>;

/**
 * A value read from a secret, through a cache.
 *
 * @param arn the secret's ARN or name
 * @param understand what makes a value of its text; it throws where the text is none
 */
export const secret = <Value>(arn: string, understand: (text: string) => Value | Promise<Value>): Loaded<Value> =>
  cached('secret', async () => {
    const answer = await ask(`/secretsmanager/get?secretId=${encodeURIComponent(arn)}`);
    return understand(textAt(answer, 'SecretString'));
  });

/** A value read from a parameter, like {@link secret}. @param name the parameter's name */
export const parameter = <Value>(name: string, understand: (text: string) => Value | Promise<Value>): Loaded<Value> =>
  cached('parameter', async () => {
    const answer = await ask(`/systemsmanager/parameters/get?name=${encodeURIComponent(name)}`);
    return understand(textAt(memberOf(answer, 'Parameter'), 'Value'));
  });

/**
 * Loads at the first call (the extension does not answer while the function initializes) and again when the value is no
 * longer fresh, or does not suffice. Once there is a value, a failed load keeps it in service until it is too old.
 */
export function cached<Value>(
  what: string,
  load: () => Promise<Value>,
  clock = now,
  { freshFor, staleFor }: CacheTerms = TERMS,
): Loaded<Value> {
  let kept: { readonly value: Value; readonly loadedAt: UnixSeconds } | undefined;
  /** Of the last load that failed, or that was asked for before its time. */
  let strainedAt: UnixSeconds | undefined;
  let failure: unknown;
  let loading: Promise<void> | undefined;

  const loadAnew = async (): Promise<void> => {
    // Before it is asked for: what comes is as old as the question at the most.
    const askedAt = clock();
    try {
      kept = { value: await load(), loadedAt: askedAt };
      failure = undefined;
    } catch (error) {
      failure = error;
      strainedAt = askedAt;
      log('ERROR', `${what}-unreachable`, { error: nameOf(error), stale: kept !== undefined });
    } finally {
      loading = undefined;
    }
  };

  /** Awaited by whoever causes it, because Lambda freezes what runs behind an answer; shared by those who come meanwhile. */
  const reload = (): Promise<void> => (loading ??= loadAnew());

  const isCooling = (): boolean =>
    loading === undefined && strainedAt !== undefined && clock() - strainedAt < COOL_DOWN_SECONDS;

  const reloadEarly = (): Promise<void> => {
    if (loading === undefined) strainedAt = clock();
    return reload();
  };

  return async (suffices = () => true) => {
    const age = kept === undefined ? Infinity : clock() - kept.loadedAt;
    // While there has never been a value, every call tries: nothing can be served without.
    const isDue = age >= Math.min(freshFor, staleFor);
    if (isDue && (kept === undefined || failure === undefined || !isCooling())) await reload();
    if (kept !== undefined && !suffices(kept.value)) {
      // What has just been read is no older than the question.
      if (!isDue && !isCooling()) await reloadEarly();
      // Only what could be read can say that there is no such key.
      if (failure !== undefined && !suffices(kept.value)) throw new Outage(`${what} unreachable`, failure);
    }
    if (kept === undefined || clock() - kept.loadedAt >= staleFor) {
      throw new Outage(`${what} unreachable`, failure);
    }
    return kept.value;
  };
}

/** Asks the extension, which holds the function's rights and keeps answers in memory. */
function ask(path: string): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const headers = { 'X-Aws-Parameters-Secrets-Token': optionalEnv('AWS_SESSION_TOKEN') ?? '' };
  const request = get(`${EXTENSION}${path}`, { headers, timeout: ANSWER_WITHIN_MS }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      if (response.statusCode !== 200) return reject(new Error(`the extension answered ${response.statusCode}`));
      try {
        resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      } catch {
        // A parser's message quotes what it read, which here is a secret.
        reject(new Error('the extension answered no JSON'));
      }
    });
  });
  request.on('timeout', () => request.destroy(new Error('the extension did not answer in time')));
  request.on('error', reject);
  return promise;
}

function memberOf(value: unknown, name: string): unknown {
  const entries: [string, unknown][] = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return entries.find(([key]) => key === name)?.[1];
}

function textAt(value: unknown, name: string): string {
  const text = memberOf(value, name);
  if (typeof text !== 'string') throw new Error(`the extension's answer has no ${name}`);
  return text;
}
