/** Cloud assemblies small enough to read, written by hand, for what the local gateway does with any of them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type OutgoingHttpHeaders, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Gateway, type GatewayOptions, startGateway } from '../../../infra/local/gateway.ts';

export interface TinyStack {
  /** CommonJS source of each function, by name. */
  readonly functions?: Readonly<Record<string, string>>;
  /** Properties of functions, by name. */
  readonly of?: Readonly<Record<string, object>>;
  /** `POST /a/{id}` to the function behind it; `!` in front of its name puts the authorizer before it. */
  readonly methods?: Readonly<Record<string, string>>;
  /** Properties of the integration of every method. */
  readonly integration?: object;
  /** Properties of every method. */
  readonly method?: object;
  /** The function that authorizes, and the rest of the authorizer's properties. */
  readonly authorizer?: { readonly fn: string; readonly properties?: object };
  readonly api?: object;
  readonly stage?: object;
  /** Gateway responses by type. */
  readonly responses?: Readonly<Record<string, object>>;
  readonly more?: Readonly<Record<string, object>>;
  readonly mappings?: object;
  readonly parameters?: object;
  readonly outputs?: Readonly<Record<string, object>>;
}

/** Answers with the event it got. */
export const ECHO = `exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });`;

const ATTRIBUTE = (id: string, name: string) => ({ 'Fn::GetAtt': [id, name] });
const uriOf = (fn: string) => ({
  'Fn::Join': [
    '',
    [
      'arn:',
      { Ref: 'AWS::Partition' },
      ':apigateway:us-east-1:lambda:path/2015-03-31/functions/',
      ATTRIBUTE(fn, 'Arn'),
      '/invocations',
    ],
  ],
});

/** Writes the assembly; whoever asks removes the folder. */
export function writeTinyStack(stack: TinyStack): string {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-tiny-'));
  const resources: Record<string, object> = {
    Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'tiny', ...stack.api } },
    Stage: { Type: 'AWS::ApiGateway::Stage', Properties: { StageName: 'v1', ...stack.stage } },
    ...stack.more,
  };
  for (const [name, source] of Object.entries(stack.functions ?? { echo: ECHO })) {
    mkdirSync(join(folder, `asset.${name}`));
    writeFileSync(join(folder, `asset.${name}`, 'index.js'), source);
    resources[name] = {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Timeout: 60,
        MemorySize: 256,
        ...stack.of?.[name],
      },
      Metadata: { 'aws:asset:path': `asset.${name}` },
    };
  }
  if (stack.authorizer !== undefined) {
    resources['Authorizer'] = {
      Type: 'AWS::ApiGateway::Authorizer',
      Properties: {
        Type: 'TOKEN',
        IdentitySource: 'method.request.header.Authorization',
        AuthorizerUri: uriOf(stack.authorizer.fn),
        ...stack.authorizer.properties,
      },
    };
  }
  for (const [route, target] of Object.entries(stack.methods ?? { 'ANY /{proxy+}': 'echo', 'ANY /': 'echo' })) {
    const [method = '', path = ''] = route.split(' ');
    const guarded = target.startsWith('!');
    resources[`Method${method}${idOf(path)}`] = {
      Type: 'AWS::ApiGateway::Method',
      Properties: {
        HttpMethod: method,
        ResourceId: resourceFor(path, resources),
        AuthorizationType: guarded ? 'CUSTOM' : 'NONE',
        ...stack.method,
        ...(guarded && { AuthorizerId: { Ref: 'Authorizer' } }),
        Integration: {
          Type: 'AWS_PROXY',
          IntegrationHttpMethod: 'POST',
          Uri: uriOf(target.replace('!', '')),
          ...stack.integration,
        },
      },
    };
  }
  for (const [type, properties] of Object.entries(stack.responses ?? {})) {
    resources[`On${type}`] = {
      Type: 'AWS::ApiGateway::GatewayResponse',
      Properties: { ResponseType: type, ...properties },
    };
  }
  const manifest = {
    artifacts: { Tiny: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Tiny.template.json' } } },
  };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const { outputs: Outputs = {}, mappings: Mappings = {}, parameters: Parameters = {} } = stack;
  const template = { Resources: resources, Outputs, Mappings, Parameters };
  writeFileSync(join(folder, 'Tiny.template.json'), JSON.stringify(template));
  return folder;
}

const idOf = (path: string) => path.replace(/[^A-Za-z0-9]/g, (sign) => `x${sign.charCodeAt(0)}`);

/** Adds the resources of a path that are missing. */
function resourceFor(path: string, resources: Record<string, object>): object {
  if (path === '/') return ATTRIBUTE('Api', 'RootResourceId');
  const cut = path.lastIndexOf('/');
  const id = `Resource${idOf(path)}`;
  resources[id] ??= {
    Type: 'AWS::ApiGateway::Resource',
    Properties: {
      PathPart: path.slice(cut + 1),
      ParentId: resourceFor(path.slice(0, cut) || '/', resources),
      RestApiId: { Ref: 'Api' },
    },
  };
  return { Ref: id };
}

export interface Reply {
  readonly status: number;
  /** As sent, names in their own case. */
  readonly headers: readonly (readonly [string, string])[];
  /** The only or last value of a header. */
  readonly header: (name: string) => string | undefined;
  readonly text: string;
  /** The body as JSON. */
  readonly json: unknown;
}

export interface TinyGateway extends Gateway {
  readonly close: () => Promise<void>;
  /** Lines of the platform. */
  readonly platform: readonly string[];
  readonly ask: (
    path: string,
    options?: { method?: string; headers?: OutgoingHttpHeaders; body?: string | Buffer },
  ) => Promise<Reply>;
}

/** Serves a tiny stack; `close` removes it too. @throws what startGateway throws */
export async function serveTinyStack(stack: TinyStack, options: Partial<GatewayOptions> = {}): Promise<TinyGateway> {
  const folder = writeTinyStack(stack);
  const platform: string[] = [];
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  let gateway: Gateway;
  try {
    gateway = await startGateway({
      assembly: folder,
      engineEndpoint: 'http://127.0.0.1:9',
      onPlatform: (line) => platform.push(line),
      ...options,
    });
  } catch (error) {
    remove();
    throw error;
  }
  return {
    ...gateway,
    platform,
    ask: (path, { method = 'GET', headers = {}, body } = {}) => send(gateway.url, path, method, headers, body),
    close: async () => {
      await gateway.close();
      remove();
    },
  };
}

/** Unlike fetch, sends a path, a method and headers just as they are written. */
function send(
  url: string,
  path: string,
  method: string,
  headers: OutgoingHttpHeaders,
  body: string | Buffer | undefined,
): Promise<Reply> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const sent = response.rawHeaders;
        const pairs = sent.flatMap((name, at): [string, string][] =>
          at % 2 === 0 ? [[name, sent[at + 1] ?? '']] : [],
        );
        resolve({
          status: response.statusCode ?? 0,
          headers: pairs,
          header: (name) => pairs.findLast(([one]) => one.toLowerCase() === name.toLowerCase())?.[1],
          text,
          get json(): unknown {
            const value: unknown = JSON.parse(text);
            return value;
          },
        });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}
