/** The whole API on one port: what API Gateway and Lambda would make of the template's requests. */
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { StackAccess } from '../cli/stack-access.ts';
import { authorizersFrom } from './authorizer.ts';
import { jsonOf } from './fields.ts';
import { type ResponseType, gatewayResponsesFrom } from './gateway-responses.ts';
import { ACCOUNT, PARTITION, REGION } from './intrinsics.ts';
import { type LocalDeployment, type LocalDeploymentOptions, deployLocally } from './local-deployment.ts';
import { listen } from './listen.ts';
import { type Answer, answerFrom } from './proxy-answer.ts';
import { type GatewayRequest, contextOf, proxyEvent, requestFrom } from './proxy-event.ts';
import { apiFrom } from './routes.ts';
import type { LocalMail } from './ses-stand-in.ts';
import { within } from './within.ts';

/** API Gateway's limits on a request. */
export const BODY_LIMIT_BYTES = 10 * 1024 * 1024;
export const HEADERS_LIMIT_BYTES = 10_240;
const MOST_LOG_LINES = 10_000;

export interface GatewayOptions extends LocalDeploymentOptions {
  /** 127.0.0.1 unless told. */
  readonly host?: string;
  /** Any free one unless told. */
  readonly port?: number;
}

export interface Gateway {
  /** Base URL, without a slash at the end. */
  readonly url: string;
  /** The lines that functions wrote, the newest 10,000 of them. */
  readonly logs: readonly string[];
  readonly secretsEndpoint: string;
  readonly kmsEndpoint: string;
  readonly mailEndpoint: string;
  /** What functions mailed, oldest first. */
  readonly mails: readonly LocalMail[];
  /** An output of the stack. @throws {Complaint} where it has none of that name */
  output(name: string): string;
  /** For the operators' commands, while the gateway runs. */
  readonly access: StackAccess;
  close(): Promise<void>;
}

/**
 * Deploys a cloud assembly on this machine and serves it. Unless `environment` says otherwise, functions that know
 * an issuer know the base URL as theirs.
 *
 * @throws {Complaint} when the port is taken, or the assembly holds what the gateway does not know
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { promise: ready, resolve: serveWith } = Promise.withResolvers<Respond>();
  const server = createServer({ maxHeaderSize: HEADERS_LIMIT_BYTES }, (message, response) => {
    void serve(message, response, ready);
  });
  const { endpoint: url, close: stopListening } = await listen(server, {
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
  });
  const logs: string[] = [];
  let deployment: LocalDeployment | undefined;
  try {
    deployment = await deployLocally({
      ...options,
      environment: { ISSUER: url, JWKS_URL: `${url}/.well-known/jwks.json`, ...options.environment },
      onOutput(functionName, line) {
        if (logs.push(line) > MOST_LOG_LINES) logs.shift();
        options.onOutput?.(functionName, line);
      },
    });
    serveWith(responder(deployment));
  } catch (error) {
    server.closeAllConnections();
    await Promise.all([stopListening(), deployment?.close()]);
    throw error;
  }
  const { assembly, secretsEndpoint, kmsEndpoint, mailEndpoint, mails, access, close } = deployment;
  return {
    url,
    logs,
    secretsEndpoint,
    kmsEndpoint,
    mailEndpoint,
    mails,
    output: (name) => assembly.output(name),
    access,
    close: async () => {
      await stopListening();
      await close();
    },
  };
}

type Body = Buffer | 'too-large';
type Respond = (message: IncomingMessage, body: Body) => Promise<Answer>;

async function serve(message: IncomingMessage, response: ServerResponse, ready: Promise<Respond>): Promise<void> {
  const body = await bodyOf(message);
  if (body === undefined) return;
  const { status, headers, body: answer } = await (await ready)(message, body);
  response.statusCode = status;
  for (const [name, value] of headers) response.appendHeader(name, value);
  // The rest of a body that is too large is not worth reading.
  if (body === 'too-large') response.setHeader('Connection', 'close');
  if (status === 204 || status === 304) response.removeHeader('Content-Type');
  response.end(answer);
}

/** Undefined when the caller went away. */
async function bodyOf(message: IncomingMessage): Promise<Body | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve) => {
    message.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > BODY_LIMIT_BYTES) resolve('too-large');
      else chunks.push(chunk);
    });
    message.on('end', () => resolve(Buffer.concat(chunks)));
    message.on('error', () => resolve(undefined));
  });
}

/** @throws {Complaint} when a method leads to a function or an authorizer that is not in the template */
function responder({ assembly, functions }: LocalDeployment): Respond {
  const authorizers = authorizersFrom(assembly, functions);
  const api = apiFrom(assembly, { functions, authorizers });
  const gatewayResponse = gatewayResponsesFrom(assembly);

  return async (message, body) => {
    const request = requestFrom(message, body === 'too-large' ? Buffer.alloc(0) : body);
    const match = request.wellFormed ? api.match(request.httpMethod, request.path) : undefined;
    const context = contextOf(request, api, match);
    const refuse = (type: ResponseType) => gatewayResponse(type, request, context);

    if (body === 'too-large') return refuse('REQUEST_TOO_LARGE');
    if (!request.wellFormed) return refuse('DEFAULT_4XX');
    if (match?.method === undefined) return refuse('MISSING_AUTHENTICATION_TOKEN');
    const { authorize, fn, timeoutMilliseconds } = match.method;

    const verdict = await authorize?.(request, methodArn(api.id, api.stage, request));
    if (verdict?.kind === 'refused') return refuse(verdict.type);

    const event = proxyEvent(request, api, match, context, verdict?.context);
    const outcome = await within(timeoutMilliseconds, fn.invoke(event));
    switch (outcome?.kind) {
      case undefined:
        return refuse('INTEGRATION_TIMEOUT');
      case 'too-large':
        return refuse('REQUEST_TOO_LARGE');
      case 'error':
        return refuse('DEFAULT_5XX');
      case 'answer': {
        const json = jsonOf(outcome.json, 'A function’s answer');
        return answerFrom(json, request, api.binaryMediaTypes, context.requestId) ?? refuse('DEFAULT_5XX');
      }
    }
  };
}

const methodArn = (apiId: string, stage: string, { httpMethod, path }: GatewayRequest) =>
  `arn:${PARTITION}:execute-api:${REGION}:${ACCOUNT}:${apiId}/${stage}/${httpMethod}${path}`;
