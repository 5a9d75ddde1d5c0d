/** Holds answers to the OpenAPI document: their status, their media type and every member of their bodies. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { openApiDocument } from '../../infra/openapi/document.ts';
import { membersOf } from './template.ts';

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** @throws {Error} for an answer that the document does not have */
export type HoldToContract = (method: string, path: string, answer: Answered) => void;

/** What any path may answer beside its own operations: a redirect, a preflight, what is not there, a wrong method. */
const ANYWHERE = [204, 308, 400, 404, 405, 413];

/** @param document the deployed one unless told */
export function contractOf(document = openApiDocument()): HoldToContract {
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  addFormats.default(ajv);
  ajv.addSchema(document, 'api');
  const compiled = new Map<string, ValidateFunction>();
  const validate = (pointer: string, body: unknown) => {
    const check = compiled.get(pointer) ?? ajv.compile({ $ref: `api#${pointer}` });
    compiled.set(pointer, check);
    return check(body) ? '' : ajv.errorsText(check.errors);
  };
  const routes = Object.entries(membersOf(document['paths'])).flatMap(([path, operations]) =>
    Object.entries(membersOf(operations)).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
      responses: membersOf(membersOf(operation)['responses']),
    })),
  );

  return (method, target, { status, headers, text }) => {
    const path = target.split('?')[0] ?? '';
    const route = routes.find((one) => one.method === method && one.pattern.test(path));
    const fail = (why: string) => {
      throw new Error(
        `${method} ${route?.path ?? path} answered ${status}, which the API's description has not: ${why}`,
      );
    };
    if (route === undefined) {
      if (!ANYWHERE.includes(status)) fail('no such operation');
      if (status >= 400) {
        const errors = validate('/components/schemas/Problem', JSON.parse(text));
        if (errors !== '') fail(errors);
      }
      return;
    }
    if (!(String(status) in route.responses)) fail('no such status');
    const content = membersOf(membersOf(route.responses[status])['content'] ?? {});
    const mediaType = (headers.get('content-type') ?? '').split(';')[0] ?? '';
    if (Object.keys(content).length === 0) {
      if (text !== '') fail('a body');
      return;
    }
    if (!(mediaType in content)) fail(`media type ${mediaType}`);
    const escaped = [route.path, method.toLowerCase(), 'responses', String(status), 'content', mediaType, 'schema'].map(
      (part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')),
    );
    const errors = validate(`/paths/${escaped.join('/')}`, JSON.parse(text));
    if (errors !== '') fail(errors);
    if (status >= 400 && membersOf(JSON.parse(text))['status'] !== status) fail('another status in the body');
  };
}
