import { get } from 'node:http';
import { Outage } from '../domain/refusal.ts';
import type { Seconds } from '../domain/time.ts';
import { now } from './clock.ts';
import { optionalEnv } from './env.ts';
import { log, nameOf } from './log.ts';

/** Where the AWS Parameters and Secrets extension listens; a local run names another place. */
const EXTENSION = optionalEnv('SECRETS_ENDPOINT') ?? 'http://localhost:2773';

const ANSWER_WITHIN_MS = 1_000;
const FRESH_FOR_SECONDS: Seconds = 300;
const RETRY_AFTER_SECONDS: Seconds = 10;

/** Gives a value that was read from Secrets Manager or Parameter Store and understood. */
export type Loaded<Value> = () => Promise<Value>;

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
 * Loads at the first call (the extension does not answer while the function initializes) and again when the
 * value is five minutes old. Once there is a value, a failed load keeps it in service.
 *
 * @throws {Outage} from the returned function, while there has never been a value
 */
export function cached<Value>(what: string, load: () => Promise<Value>, clock = now): Loaded<Value> {
  let value: { readonly is: Value } | undefined;
  let dueAt = -Infinity;
  let loading: Promise<Value> | undefined;

  const reload = async (): Promise<Value> => {
    try {
      value = { is: await load() };
      dueAt = clock() + FRESH_FOR_SECONDS;
      return value.is;
    } catch (error) {
      log('ERROR', `${what}-unreachable`, { error: nameOf(error), stale: value !== undefined });
      if (value === undefined) throw new Outage(`${what} unreachable`, error);
      dueAt = clock() + RETRY_AFTER_SECONDS;
      return value.is;
    } finally {
      loading = undefined;
    }
  };

  return async () => {
    if (value !== undefined && clock() < dueAt) return value.is;
    loading ??= reload();
    return loading;
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
