import { describe, expect, test } from '@jest/globals';
import { SECURITY_EVENTS, type SecurityEvent } from '../../../../functions/shared/domain/events.ts';
import type { UserId } from '../../../../functions/shared/domain/ids.ts';
import { Outage, Refusal, type Reason } from '../../../../functions/shared/domain/refusal.ts';
import { answers } from '../../../../functions/shared/http/answers.ts';
import { endpoint, notModified } from '../../../../functions/shared/http/endpoint.ts';
import { json, noContent, problem } from '../../../../functions/shared/http/reply.ts';
import { apiEvent } from '../../../support/events.ts';
import { logged, quietly } from '../../../support/logged.ts';

const event = apiEvent({ resource: '/api/token' });
const EVERYWHERE = {
  'X-Content-Type-Options': 'nosniff',
  'Strict-Transport-Security': 'max-age=63072000',
  'Access-Control-Allow-Origin': '*',
};

/** The answer to an operation that throws, with its body read, and what was logged. */
async function answerTo(error: unknown) {
  const handler = endpoint(() => {
    throw error;
  });
  const { value, lines } = await logged(() => handler(event));
  return { ...value, content: JSON.parse(value.body) as unknown, lines };
}

const BAD_LOGIN = [401, 'No active account found with the given credentials', 'no_active_account'] as const;
const GONE = [401, 'No active account found for the given token.', 'no_active_account', 'invalid_token'] as const;
const badToken = (detail: string) => [401, detail, 'token_not_valid', 'invalid_token'] as const;

const TABLE: Record<Reason, readonly [status: number, detail: string, code?: string, challenge?: string]> = {
  'malformed-body': [400, 'Malformed request body.', 'parse_error'],
  'not-an-object': [400, 'Invalid data. Expected an object.'],
  'unsupported-media-type': [415, 'Unsupported media type "" in request.'],
  'body-too-large': [413, 'The request body is larger than 16 KB.'],
  'invalid-fields': [400, 'Some fields are missing or not valid.'],
  'unknown-user': BAD_LOGIN,
  'wrong-password': BAD_LOGIN,
  'user-disabled': BAD_LOGIN,
  'too-many-attempts': BAD_LOGIN,
  'too-many-guesses': [429, 'Request was throttled.', 'throttled'],
  'too-many-from-address': [429, 'Request was throttled.', 'throttled'],
  'username-taken': [409, 'The username is taken.', 'username_taken'],
  'token-malformed': badToken('Token is invalid'),
  'token-forged': badToken('Token is invalid'),
  'unknown-session': badToken('Token is invalid'),
  'token-wrong-type': badToken('Token has wrong type'),
  'token-expired': badToken('Token is expired'),
  'session-expired': badToken('Token is expired'),
  'token-reused': badToken('Token is blacklisted'),
  'session-revoked': badToken('Token is blacklisted'),
  'session-superseded': badToken('Token is blacklisted'),
  'account-gone': GONE,
  'account-disabled': GONE,
  'bearer-refused': badToken('Given token not valid for any token type'),
  'no-credentials': [401, 'Authentication credentials were not provided.', 'not_authenticated'],
  'unknown-mode': [400, 'The header X-Latchkey-Mode takes the word "cookie", or is left out.'],
  'cookie-mode-off': [400, 'Cookie mode is off here: leave out the header X-Latchkey-Mode.'],
  'cross-site-request': [403, 'CSRF Failed: Origin checking failed.', 'permission_denied'],
  'insufficient-scope': [
    403,
    'You do not have permission to perform this action.',
    'permission_denied',
    'insufficient_scope',
  ],
  'email-taken': [409, 'Another account has this email address.', 'email_taken'],
  'not-found': [404, 'Not found.', 'not_found'],
};
const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
};

describe('a refusal', () => {
  test('has an answer for every reason, and there is no answer without one', () => {
    expect(Object.keys(answers).sort()).toEqual(Object.keys(TABLE).sort());
  });

  test.each(Object.keys(TABLE) as Reason[])(
    'for %s is answered as the table says, and logged by its reason',
    async (reason) => {
      const [status, detail, code, challenge] = TABLE[reason];
      const { statusCode, headers = {}, content, lines } = await answerTo(new Refusal(reason));
      expect(statusCode).toBe(status);
      expect(content).toEqual({
        type: 'about:blank',
        title: TITLES[status],
        status,
        detail,
        ...(code !== undefined && { code }),
      });
      expect(headers).toMatchObject({
        ...EVERYWHERE,
        'Content-Type': 'application/problem+json',
        'Cache-Control': 'no-store',
      });
      expect(headers['WWW-Authenticate']).toBe(
        status === 401 || challenge !== undefined
          ? `Bearer realm="api"${challenge === undefined ? '' : `, error="${challenge}"`}`
          : undefined,
      );
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
        expect.objectContaining({
          level: 'INFO',
          event: 'refused',
          reason,
          route: '/api/token',
          requestId: event.requestContext.requestId,
        }),
      ]);
    },
  );

  test('of a login looks the same to the last byte, whatever the cause', async () => {
    const reasons: Reason[] = ['unknown-user', 'wrong-password', 'user-disabled', 'too-many-attempts'];
    const [first, ...others] = await quietly(() =>
      Promise.all(reasons.map((reason) => endpoint(() => Promise.reject(new Refusal(reason)))(event))),
    );
    for (const other of others) expect(other).toEqual(first);
  });

  test('of fields carries a list of messages for each', async () => {
    const fields = { username: ['This field is required.'], password: ['This field may not be blank.'] };
    const { content } = await answerTo(new Refusal('invalid-fields', { fields }));
    expect(content).toMatchObject({ status: 400, ...fields });
  });

  test('of a media type shows it literally', async () => {
    const { content, body } = await answerTo(new Refusal('unsupported-media-type', { shown: 'a$&b"$1<script>' }));
    expect(content).toMatchObject({ detail: 'Unsupported media type "a$&b"$1<script>" in request.' });
    expect(body).toContain('\\"');
  });
});

describe('an outage', () => {
  test('is a 503 that says when to come back and nothing of what is inside', async () => {
    const { statusCode, headers, content, body, lines } = await answerTo(
      new Outage('store out of reach', new Error('connect ECONNREFUSED 10.0.0.1:8000 users-table hunter2')),
    );
    expect(statusCode).toBe(503);
    expect(headers).toMatchObject({ ...EVERYWHERE, 'Retry-After': '5', 'Content-Type': 'application/problem+json' });
    expect(content).toEqual({
      type: 'about:blank',
      title: 'Service Unavailable',
      status: 503,
      detail: 'The service is not available at the moment. Please try again.',
    });
    expect(body + lines.join('')).not.toMatch(/ECONNREFUSED|10\.0\.0\.1|users-table|hunter2/);
    expect(body).not.toContain('store');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ level: 'ERROR', event: 'outage', what: 'store out of reach', error: 'Outage < Error' }),
    ]);
  });
});

describe('anything else that is thrown', () => {
  class Hunter extends Error {
    override readonly name = 'Hunter';
  }

  test.each([
    ['an error of ours', new Hunter('hunter2')],
    ["an engine's error", new TypeError("Cannot read properties of undefined (reading 'hunter2')")],
    ['an error whose message looks like a stack', new Hunter('x\n    at hunter2 (hunter2.ts:1:1)\n    at hunter2')],
    ['an error without a stack', Object.assign(new Hunter('hunter2'), { stack: undefined })],
    ['an error with a chain of causes', new Hunter('hunter2', { cause: new Error('hunter2', { cause: 'hunter2' }) })],
    ['a text', 'hunter2'],
    ['an object', { hunter2: 'hunter2' }],
    ['nothing', undefined],
    ['null', null],
  ])('(%s) is an opaque 500, and no message of it gets anywhere', async (_, error) => {
    const { statusCode, headers, content, body, lines } = await answerTo(error);
    expect(statusCode).toBe(500);
    expect(headers).toMatchObject({ ...EVERYWHERE, 'Content-Type': 'application/problem+json' });
    expect(content).toEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      detail: 'Something went wrong on our side.',
    });
    expect(body + lines.join('')).not.toContain('hunter2');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ level: 'ERROR', event: 'defect', route: '/api/token' }),
    ]);
  });

  test('is logged with its name and where in our code it came from', async () => {
    const { lines } = await answerTo(new Hunter('x'));
    expect(JSON.parse(String(lines[0]))).toMatchObject({
      error: 'Hunter',
      at: expect.stringContaining('endpoint.test.ts') as unknown,
    });
  });

  test('is logged also where its chain of causes has no end', async () => {
    const error = new Hunter('x');
    error.cause = error;
    const { statusCode, lines } = await answerTo(error);
    expect(statusCode).toBe(500);
    expect(lines).toHaveLength(1);
  });
});

describe('an answer', () => {
  test('is handed on as the operation gave it, and nothing is logged', async () => {
    const { value, lines } = await logged(() => endpoint(() => json(200, { access: 'x' }))(event));
    expect(value).toEqual({
      statusCode: 200,
      headers: expect.objectContaining({
        ...EVERYWHERE,
        'Content-Type': 'application/json',
        'Cache-Control': 'no-store',
      }),
      body: '{"access":"x"}',
    });
    expect(lines).toEqual([]);
  });

  test('may be empty', () => {
    expect(noContent()).toMatchObject({ statusCode: 204, body: '', headers: { 'Cache-Control': 'no-store' } });
    expect(notModified({ ETag: '"x"' })).toMatchObject({ statusCode: 304, body: '', headers: { ETag: '"x"' } });
  });

  test('may be a problem of a status without a title of its own', () => {
    expect(JSON.parse(problem(418, 'No.').body)).toEqual({
      type: 'about:blank',
      title: 'Error',
      status: 418,
      detail: 'No.',
    });
  });
});

describe('a security event', () => {
  const userId = '0a1b2c3d-0000-4000-8000-00000000ada0' as UserId;

  test('is one line that is a count in CloudWatch as well', async () => {
    const handler = endpoint((_, note) => {
      note('theft', { userId, reason: 'token-reused' });
      throw new Refusal('token-reused');
    });
    const { lines } = await logged(() => handler(event));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toEqual({
      timestamp: expect.any(String),
      level: 'WARN',
      event: 'theft',
      requestId: event.requestContext.requestId,
      route: '/api/token',
      address: '203.0.113.7',
      userId,
      reason: 'token-reused',
      Theft: 1,
      _aws: {
        Timestamp: expect.any(Number),
        CloudWatchMetrics: [{ Namespace: 'Latchkey', Dimensions: [[]], Metrics: [{ Name: 'Theft', Unit: 'Count' }] }],
      },
    });
  });

  test('for another reason leaves the refusal its own line', async () => {
    const handler = endpoint((_, note) => {
      note('lock', { userId, reason: 'wrong-password' });
      throw new Refusal('too-many-attempts');
    });
    const { lines } = await logged(() => handler(event));
    const seen = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(seen.map(({ event: name, reason }) => [name, reason])).toEqual([
      ['lock', 'wrong-password'],
      ['refused', 'too-many-attempts'],
    ]);
  });

  test.each(Object.entries(SECURITY_EVENTS))('%s is counted as %s and nothing else', async (name, metric) => {
    const handler = endpoint((_, note) => {
      note(name as SecurityEvent, {});
      return noContent();
    });
    const { lines } = await logged(() => handler(event));
    const line = JSON.parse(lines[0]!) as Record<string, unknown>;
    expect(line).toMatchObject({ event: name, [metric]: 1 });
    expect(JSON.stringify(line['_aws'])).toContain(`"Metrics":[{"Name":"${metric}","Unit":"Count"}]`);
  });

  test('gives a refusal that says when to come back its header', async () => {
    const { headers } = await answerTo(new Refusal('too-many-guesses', { retryAfter: 7 }));
    expect(headers).toMatchObject({ 'Retry-After': '7' });
  });
});
