import { describe, expect, test } from '@jest/globals';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { Outage, Refusal } from '../../../../functions/shared/domain/refusal.ts';
import { apiEvent } from '../../../support/events.ts';
import { quietly } from '../../../support/logged.ts';

const APP = 'https://app.example.org';
const ADMIN = 'https://admin.example.org:8443';
Object.assign(process.env, { CORS_ORIGIN: `${APP} ${ADMIN}`, COOKIE_MODE: 'on' });
const { everyPage, readersOf } = await import('../../../../functions/shared/http/cors.ts');
const { endpoint, notModified } = await import('../../../../functions/shared/http/endpoint.ts');
const { json, noContent, problem, reply } = await import('../../../../functions/shared/http/reply.ts');

const EXPOSED = { 'Access-Control-Expose-Headers': 'WWW-Authenticate, Retry-After' };
const EVERYBODY = { 'Access-Control-Allow-Origin': '*', ...EXPOSED };

describe('where every origin may call the API', () => {
  test.each([undefined, APP, 'null', 'https://evil.example'])(
    'the answer to %j is the same for all, so that no cache has to tell them apart, and never for cookies',
    (origin) => {
      for (const cookieMode of ['on', 'off'] as const) {
        expect(readersOf(origin, { corsOrigin: '*', cookieMode })).toEqual(EVERYBODY);
      }
    },
  );
});

describe.each([APP, `${APP} ${ADMIN}`, `${ADMIN} ${APP}`])('where the origins are %j', (corsOrigin) => {
  test('one of them is named, with its cookies where cookie mode is on', () => {
    const named = { Vary: 'Origin', 'Access-Control-Allow-Origin': APP, ...EXPOSED };
    expect(readersOf(APP, { corsOrigin, cookieMode: 'off' })).toEqual(named);
    expect(readersOf(APP, { corsOrigin, cookieMode: 'on' })).toEqual({
      ...named,
      'Access-Control-Allow-Credentials': 'true',
    });
  });

  test.each([
    undefined,
    '',
    'null',
    '*',
    'https://evil.example',
    'https://APP.example.org',
    'http://app.example.org',
    'https://app.example.org:443',
    'https://app.example.org:8443',
    'https://admin.example.org',
    'https://app.example.org.',
    'https://app.example.org/',
    'https://app.example.org.evil.example',
    'https://evilapp.example.org',
    'app.example.org',
    `${APP} ${ADMIN}`,
    `${APP}, ${ADMIN}`,
  ])('%j is told nothing but that the answer depends on who asks', (origin) => {
    expect(readersOf(origin, { corsOrigin, cookieMode: 'on' })).toEqual({ Vary: 'Origin' });
  });
});

describe('whatever a function answers', () => {
  const ANSWERS: [what: string, status: number, () => APIGatewayProxyResult][] = [
    ['a success', 200, () => json(200, {})],
    ['no content', 204, () => noContent()],
    ['nothing new', 304, () => notModified({ ETag: '"x"' })],
    ['a redirect', 308, () => reply(308, '', { Location: '/x' })],
    ['a problem', 404, () => problem(404, 'Not found.')],
    ['a refusal', 400, () => raise(new Refusal('malformed-body'))],
    ['a refused token', 401, () => raise(new Refusal('token-forged'))],
    ['an outage', 503, () => raise(new Outage('store out of reach'))],
    ['a defect', 500, () => raise(new TypeError('x'))],
  ];

  test.each(ANSWERS)('(%s) says which pages may read it', async (_what, status, operate) => {
    const answer = (headers: Record<string, string | string[]>) =>
      quietly(() => endpoint(operate)(apiEvent({ headers })));
    for (const name of ['Origin', 'origin', 'ORIGIN']) {
      const { statusCode, headers } = await answer({ [name]: ADMIN });
      expect(statusCode).toBe(status);
      expect(headers).toMatchObject({
        Vary: 'Origin',
        'Access-Control-Allow-Origin': ADMIN,
        'Access-Control-Allow-Credentials': 'true',
        'X-Content-Type-Options': 'nosniff',
        'Strict-Transport-Security': 'max-age=63072000',
      });
    }
    const strangers: Record<string, string | string[]>[] = [
      {},
      { Origin: 'https://evil.example' },
      { Origin: [APP, 'https://evil.example'] },
      { Origin: [APP, APP] },
    ];
    for (const headers of strangers) {
      const told = Object.entries((await answer(headers)).headers ?? {});
      expect(told.filter(([name]) => name.startsWith('Access-Control-') || name === 'Vary')).toEqual([
        ['Vary', 'Origin'],
      ]);
    }
  });

  test.each(ANSWERS)(
    '(%s) may also be for every page, and then never with cookies',
    async (_what, _status, operate) => {
      const { headers = {} } = await quietly(() =>
        endpoint(operate, everyPage)(apiEvent({ headers: { Origin: APP } })),
      );
      expect(headers).toMatchObject(EVERYBODY);
      expect(headers).not.toHaveProperty('Vary');
      expect(headers).not.toHaveProperty('Access-Control-Allow-Credentials');
    },
  );
});

function raise(error: Error): never {
  throw error;
}
