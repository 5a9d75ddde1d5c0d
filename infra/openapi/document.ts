/** The OpenAPI 3.1 description of the API, made from the rows that make its routes. */
import { answers, type Answer } from '../../functions/shared/http/answers.ts';
import { TITLES } from '../../functions/shared/http/titles.ts';
import type { Reason } from '../../functions/shared/domain/refusal.ts';
import { ENDPOINTS, partsOf, type Endpoint, type Route } from '../endpoints.ts';
import { PROBLEMS } from '../gateway-responses.ts';
import { OPERATIONS, type Operation, type Tag } from './operations.ts';
import { SCHEMAS, type Schema, type SchemaName } from './schemas.ts';

const TAGS: Readonly<Record<Tag, string>> = {
  Tokens: 'Log in, stay logged in, log out.',
  Account: 'The account of the caller.',
  Sessions: 'The devices on which the caller is logged in.',
  Discovery: 'What others need to verify access tokens.',
};

const OF_BODIES = [
  'malformed-body',
  'not-an-object',
  'invalid-fields',
  'body-too-large',
  'unsupported-media-type',
] as const satisfies readonly Reason[];

const OF_COOKIE_MODE = ['unknown-mode', 'cookie-mode-off', 'cross-site-request'] as const satisfies readonly Reason[];

const MODE_PARAMETER: Schema = {
  name: 'X-Latchkey-Mode',
  in: 'header',
  description:
    'Cookie mode, for browsers, where it is on: the refresh token travels in a cookie that no script can read, never in a body.',
  schema: { type: 'string', enum: ['cookie'] },
};

/** Members of a refusal that depend on what was sent: what an example shows for them. */
const SHOWN: Partial<Record<Reason, Schema>> = {
  'invalid-fields': { username: ['This field is required.'] },
  'not-an-object': { non_field_errors: ['Invalid data. Expected a dictionary, but got list.'] },
};

interface Example {
  readonly name: string;
  readonly status: number;
  readonly problem: Schema;
}

/**
 * The document for the routes of some endpoints, without pages for people.
 *
 * @param endpoints all there are, unless told; some are deployed only where a setting asks for them
 * @throws {Error} for a route that {@link OPERATIONS} does not describe
 */
export function openApiDocument(endpoints: Readonly<Record<string, Endpoint>> = ENDPOINTS): Schema {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { routes, guard, isPage } of Object.values(endpoints)) {
    if (isPage === true) continue;
    for (const route of routes) {
      const { method, path } = partsOf(route);
      (paths[path] ??= {})[method.toLowerCase()] = described(route, guard);
    }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Latchkey',
      version: '1',
      summary: 'JWT authentication',
      description:
        'A superset of the contract of Django REST Framework with Simple JWT. Paths with a trailing slash are answered with a 308 to those without; other methods than these with a 405 that names them in `Allow`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    // Where the document is, whatever stage or base path that has.
    servers: [{ url: '.' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: schemasOf(JSON.stringify(paths)),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token (RFC 6750).' },
        refreshCookie: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-latchkey-refresh',
          description: 'The refresh token in cookie mode.',
        },
      },
    },
  };
}

/** The schemas that a text refers to, and those that they refer to. */
function schemasOf(text: string, found: Record<string, Schema> = {}): Readonly<Record<string, Schema>> {
  for (const [name, schema] of Object.entries<Schema>(SCHEMAS)) {
    if (name in found || !text.includes(`"#/components/schemas/${name}"`)) continue;
    found[name] = schema;
    schemasOf(JSON.stringify(schema), found);
  }
  return found;
}

function described(route: Route, guard: Endpoint['guard']): Schema {
  const operation = OPERATIONS[route];
  if (operation === undefined) throw new Error(`infra/openapi/operations.ts does not describe ${route}.`);
  const { id, tag, summary, description, takes, parameters = [], inCookieMode } = operation;
  const isFromCookie = inCookieMode?.takesCookie === true;
  const schema = isFromCookie ? oneOf(takes, 'Nothing') : oneOf(takes);
  const asked = [...parameters, ...(inCookieMode === undefined ? [] : [MODE_PARAMETER])];
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    security: guard === 'bearer' ? [{ bearer: [] }] : isFromCookie ? [{}, { refreshCookie: [] }] : [],
    ...(asked.length > 0 && { parameters: asked }),
    ...(schema !== undefined && {
      requestBody: {
        required: !isFromCookie,
        content: { 'application/json': { schema }, 'application/x-www-form-urlencoded': { schema } },
      },
    }),
    responses: { ...successOf(operation), ...problemsOf(examplesOf(operation, guard)) },
  };
}

/** The schema of what has one of some shapes, as far as there are any. */
function oneOf(...names: readonly (SchemaName | undefined)[]): Schema | undefined {
  const shapes = [...new Set(names)].flatMap((name) =>
    name === undefined ? [] : [{ $ref: `#/components/schemas/${name}` }],
  );
  return shapes.length > 1 ? { anyOf: shapes } : shapes[0];
}

function successOf({ success, inCookieMode }: Operation): Schema {
  const { status, description, mediaType = 'application/json', isCached } = success;
  const schema = oneOf(success.schema, inCookieMode?.answers);
  return {
    [status]: {
      description,
      ...(inCookieMode !== undefined && {
        headers: {
          'Set-Cookie': { description: `In cookie mode only. ${inCookieMode.sets}`, schema: { type: 'string' } },
        },
      }),
      ...(schema !== undefined && { content: { [mediaType]: { schema } } }),
    },
    ...(isCached === true && { 304: { description: 'What `If-None-Match` names is still so.' } }),
  };
}

function examplesOf({ takes, refusals = [], inCookieMode }: Operation, guard: Endpoint['guard']): Example[] {
  const reasons: Reason[] = [...(takes === undefined ? [] : OF_BODIES), ...refusals];
  if (inCookieMode !== undefined) reasons.push(...OF_COOKIE_MODE, ...(inCookieMode.refusals ?? []));
  if (guard === 'bearer') reasons.push('bearer-refused');
  const ofGateway = PROBLEMS.filter(
    ({ status }) => [429, 503].includes(status) || (guard === 'bearer' && status === 401),
  );
  return [
    ...[...new Set(reasons)].map(exampleOf),
    ...ofGateway.map(({ status, title, detail, code }) => ({
      name: detail.replace(/\W+/g, '-').replace(/-$/, '').toLowerCase(),
      status,
      problem: { type: 'about:blank', title, status, detail, ...(code !== undefined && { code }) },
    })),
  ];
}

function exampleOf(reason: Reason): Example {
  const { status, detail, code }: Answer = answers[reason];
  const shown = detail.replace('{shown}', 'text/plain');
  const problem = {
    type: 'about:blank',
    title: TITLES[status],
    status,
    detail: shown,
    ...(code !== undefined && { code }),
  };
  return { name: reason, status, problem: { ...problem, ...SHOWN[reason] } };
}

function problemsOf(examples: readonly Example[]): Schema {
  const statuses = [...new Set(examples.map(({ status }) => status))];
  return Object.fromEntries(
    statuses.map((status) => {
      const here = examples.filter((example) => example.status === status);
      const headers = {
        ...(status === 401 && {
          'WWW-Authenticate': { description: 'RFC 6750 section 3.', schema: { type: 'string' } },
        }),
        ...([429, 503].includes(status) && {
          'Retry-After': { description: 'In seconds.', schema: { type: 'string' } },
        }),
      };
      return [
        status,
        {
          description: TITLES[status] ?? 'Error',
          ...(Object.keys(headers).length > 0 && { headers }),
          content: {
            'application/problem+json': {
              schema: { $ref: '#/components/schemas/Problem' },
              examples: Object.fromEntries(here.map(({ name, problem }) => [name, { value: problem }])),
            },
          },
        },
      ];
    }),
  );
}
