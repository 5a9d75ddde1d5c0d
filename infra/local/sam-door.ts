/**
 * One port for what functions in SAM's containers need of this machine: the DynamoDB engine, the stand-ins for secrets
 * and mail, the key set, and a place where a custom resource says how it went.
 */
import { type IncomingMessage, type ServerResponse, request as httpRequest } from 'node:http';
import { createServer } from 'node:http';
import { SESSION_TOKEN } from './lambda.ts';
import { type Listening, listen } from './listen.ts';

/** Where a custom resource's function sends its outcome. */
export const OUTCOME_PATH = '/custom-resource';

export interface BehindTheDoor {
  /** Base URL of the DynamoDB engine. */
  readonly engine: string;
  /** Base URL of the stand-in for Secrets Manager and Parameter Store. */
  readonly secrets: string;
  /** Base URL of the stand-in for AWS KMS. */
  readonly kms: string;
  /** Base URL of the stand-in for Amazon SES. */
  readonly mail: string;
  /** Base URL of an API that serves the key set. */
  readonly api: string;
  /** Told what a custom resource's function said. */
  readonly onOutcome: (text: string) => void;
}

/** @throws {Complaint} when the port is taken or the address is not this machine's */
export function openSamDoor(behind: BehindTheDoor, at: { host: string; port: number }): Promise<Listening> {
  return listen(
    createServer((request, response) => {
      void serve(request, response, behind).catch(() => response.destroy());
    }),
    at,
  );
}

async function serve(request: IncomingMessage, response: ServerResponse, behind: BehindTheDoor): Promise<void> {
  const body = await bytesOf(request);
  const { method = 'GET', url = '/' } = request;
  const path = url.split('?')[0];
  const target = String(request.headers['x-amz-target'] ?? '');
  if (method === 'PUT' && path === OUTCOME_PATH) {
    behind.onOutcome(body.toString('utf8'));
    response.end();
    return;
  }
  const upstream =
    method === 'POST' && target.startsWith('DynamoDB_')
      ? behind.engine
      : method === 'POST' && target.startsWith('TrentService.')
        ? behind.kms
        : (method === 'POST' && target !== '') || (method === 'GET' && /^\/(secretsmanager|systemsmanager)\//.test(url))
          ? behind.secrets
          : method === 'POST' && path === '/v2/email/outbound-emails'
            ? behind.mail
            : method === 'GET' && path === '/.well-known/jwks.json'
              ? behind.api
              : undefined;
  if (upstream === undefined) {
    response.writeHead(404).end();
    return;
  }
  // SAM's containers have whatever session token SAM was given, or none.
  const headers = {
    ...request.headers,
    host: new URL(upstream).host,
    'x-aws-parameters-secrets-token': SESSION_TOKEN,
  };
  const onward = httpRequest(upstream, { method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  onward.end(body);
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
