import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ENDPOINTS, partsOf, type Endpoint } from '../../../infra/endpoints.ts';
import { openApiDocument } from '../../../infra/openapi/document.ts';
import { contractOf } from '../../support/contract.ts';
import { membersOf } from '../../support/template.ts';

const document = openApiDocument();
const operations = Object.entries(membersOf(document['paths'])).flatMap(([path, methods]) =>
  Object.entries(membersOf(methods)).map(([method, operation]) => ({
    route: `${method.toUpperCase()} ${path}`,
    operation: membersOf(operation),
  })),
);
const rows = Object.values<Endpoint>(ENDPOINTS).filter(({ isPage }) => isPage !== true);

describe('the description of the API', () => {
  test('has the routes of the API and no other', () => {
    expect(operations.map(({ route }) => route).toSorted()).toEqual(
      rows.flatMap(({ routes }) => [...routes]).toSorted(),
    );
  });

  test('leaves out the pages for people, and nothing else', () => {
    const pages = Object.values<Endpoint>(ENDPOINTS).filter(({ isPage }) => isPage === true);
    expect(pages.flatMap(({ routes }) => routes)).toEqual([
      'GET /docs',
      'GET /docs/{file}',
      'GET /',
      'GET /demo/{file}',
    ]);
  });

  test('asks for a bearer token where the authorizer stands, and takes a cookie where a refresh token is taken', () => {
    const takesCookie = ['POST /api/token/refresh', 'POST /api/token/blacklist'];
    for (const { routes, guard } of rows) {
      for (const route of routes) {
        const { operation } = operations.find((one) => one.route === route)!;
        const open = takesCookie.includes(route) ? [{}, { refreshCookie: [] }] : [];
        expect([route, operation['security']]).toEqual([route, guard === 'bearer' ? [{ bearer: [] }] : open]);
      }
    }
  });

  test('says of exactly the operations with a refresh token what they do in cookie mode, refusals among it', () => {
    const withMode = operations.filter(({ operation }) => JSON.stringify(operation).includes('X-Latchkey-Mode'));
    expect(withMode.map(({ route }) => route).toSorted()).toEqual([
      'POST /api/password',
      'POST /api/token',
      'POST /api/token/blacklist',
      'POST /api/token/refresh',
    ]);
    for (const { operation } of withMode) {
      const responses = membersOf(operation['responses']);
      expect(operation['parameters']).toEqual([expect.objectContaining({ name: 'X-Latchkey-Mode', in: 'header' })]);
      expect(membersOf(responses['200'])['headers']).toHaveProperty('Set-Cookie');
      expect(JSON.stringify(responses['403'])).toContain('"CSRF Failed: Origin checking failed."');
      expect(JSON.stringify(responses['400'])).toContain('X-Latchkey-Mode');
    }
    expect(JSON.stringify(document)).toContain('"not_authenticated"');
  });

  test('has a parameter for each part of a path that has a name', () => {
    for (const { route, operation } of operations) {
      const named = [...partsOf(route as 'GET /').path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const parameters = (operation['parameters'] ?? []) as { name: string; in: string }[];
      expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(named);
    }
  });

  test('shows every error, in the words in which it is said', () => {
    for (const { operation } of operations) {
      const errors = Object.entries(membersOf(operation['responses'])).filter(([status]) => Number(status) >= 400);
      expect(errors.map(([status]) => status)).toEqual(expect.arrayContaining(['429', '503']));
      for (const [status, response] of errors) {
        const content = membersOf(membersOf(response)['content']);
        const examples = Object.values(membersOf(membersOf(content['application/problem+json'])['examples']));
        expect(examples.length).toBeGreaterThan(0);
        for (const example of examples) expect(membersOf(membersOf(example)['value'])['status']).toBe(Number(status));
      }
    }
    const text = JSON.stringify(document);
    for (const words of [
      'No active account found with the given credentials',
      'Token is blacklisted',
      'Given token not valid for any token type',
      'Authentication credentials were not provided.',
      'This field is required.',
    ]) {
      expect(text).toContain(`"${words}"`);
    }
  });

  test('says nothing of pages, which are for people and have no rights', () => {
    const pages = Object.values<Endpoint>(ENDPOINTS).filter(({ isPage }) => isPage === true);
    expect(pages.flatMap(({ routes }) => routes)).toContain('GET /demo/{file}');
    for (const { routes, guard, lend } of pages) {
      expect([guard, lend]).toEqual(['open', undefined]);
      for (const route of routes) expect(document['paths']).not.toHaveProperty([partsOf(route).path]);
    }
  });

  test('is not made where a route has no words', () => {
    const secret: Endpoint = { routes: ['GET /api/secret'], guard: 'open', settings: [] };
    expect(() => openApiDocument({ ...ENDPOINTS, secret })).toThrow('does not describe GET /api/secret');
  });

  test('passes the recommended rules of a public linter', () => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-openapi-'));
    try {
      const file = join(folder, 'openapi.json');
      writeFileSync(file, JSON.stringify(document));
      const cli = fileURLToPath(import.meta.resolve('@redocly/cli/bin/cli.js'));
      // It would tell its makers and look for a newer version.
      const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
      const args = [cli, 'lint', file, '--extends', 'recommended', '--format', 'json'];
      const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' });
      const start = stdout.indexOf('{');
      if (start < 0) throw new Error(stderr);
      expect(JSON.parse(stdout.slice(start))).toMatchObject({ totals: { errors: 0, warnings: 0 }, problems: [] });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('answers are held to it', () => {
  const hold = contractOf();
  const answered = (
    status: number,
    body: unknown,
    type = status < 400 ? 'application/json' : 'application/problem+json',
  ) => ({
    status,
    headers: new Headers({ 'Content-Type': type }),
    text: body === undefined ? '' : JSON.stringify(body),
  });
  const problem = { type: 'about:blank', title: 'Unauthorized', status: 401, detail: 'No.' };
  const pair = { access: 'a', refresh: 'r', device_token: 'd' };

  test.each([
    ['a pair', 'POST', '/api/token', answered(200, pair)],
    ['a pair without what travels in cookies', 'POST', '/api/token', answered(200, { access: 'a' })],
    ['the same of a refresh', 'POST', '/api/token/refresh', answered(200, { access: 'a' })],
    ['the same of a changed password', 'POST', '/api/password', answered(200, { access: 'a' })],
    ['a problem', 'POST', '/api/token', answered(401, { ...problem, code: 'token_not_valid', username: ['No.'] })],
    ['no content', 'DELETE', '/api/sessions/1?x=1', answered(204, undefined)],
    ['a path that is not there', 'GET', '/nowhere', answered(404, { ...problem, status: 404 })],
  ])('takes %s', (_what, method, path, answer) => {
    expect(() => hold(method, path, answer)).not.toThrow();
  });

  test.each([
    ['a member too many', 'POST', '/api/token', answered(200, { ...pair, password: 'x' })],
    ['a member too few', 'POST', '/api/token', answered(200, { access: 'a', refresh: 'r' })],
    ['a token of a device without the others', 'POST', '/api/token', answered(200, { access: 'a', device_token: 'd' })],
    ['another status', 'POST', '/api/token', answered(418, problem)],
    ['another status in the body', 'POST', '/api/token', answered(401, { ...problem, status: 400 })],
    ['another media type', 'POST', '/api/token', answered(401, problem, 'application/json')],
    ['a body where there is none', 'DELETE', '/api/sessions', answered(204, {})],
    ['a success of no operation', 'GET', '/nowhere', answered(200, {})],
    [
      'a private key',
      'GET',
      '/.well-known/jwks.json',
      answered(200, { keys: [{ kty: 'EC', kid: 'k', alg: 'ES256', use: 'sig', d: 'x' }] }, 'application/jwk-set+json'),
    ],
  ])('refuses %s', (_what, method, path, answer) => {
    expect(() => hold(method, path, answer)).toThrow('which the API');
  });
});
