/** The Runtime API of Lambda (2018-06-01) for one function: what stands between Lambda and a runtime interface client. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RuntimeApi {
  /** For `AWS_LAMBDA_RUNTIME_API`. */
  readonly address: string;
  /** Hands the client one event and waits for what it says. @throws {Error} with the client's words where it failed */
  invoke(event: string): Promise<string>;
  close(): Promise<void>;
}

const VERSION = '/2018-06-01/runtime';

/** @param deadlineSeconds how long an invocation may take, which the client tells the handler */
export async function startRuntimeApi(functionArn: string, deadlineSeconds: number): Promise<RuntimeApi> {
  const waiting: ((event: string) => void)[] = [];
  const events: string[] = [];
  let settle: { done(answer: string): void; failed(error: Error): void } | undefined;
  const hand = (): void => {
    if (waiting.length === 0) return;
    const event = events.shift();
    if (event !== undefined) waiting.shift()?.(event);
  };

  const server = createServer((request, response) => {
    const { method, url = '' } = request;
    if (method === 'GET' && url === `${VERSION}/invocation/next`) {
      waiting.push((event) => {
        response.writeHead(200, {
          'Content-Type': 'application/json',
          'Lambda-Runtime-Aws-Request-Id': '11111111-2222-4333-8444-555555555555',
          'Lambda-Runtime-Deadline-Ms': String(Date.now() + deadlineSeconds * 1000),
          'Lambda-Runtime-Invoked-Function-Arn': functionArn,
          'Lambda-Runtime-Trace-Id': 'Root=1-00000000-000000000000000000000000',
        });
        response.end(event);
      });
      return hand();
    }
    void textOf(request).then((text) => {
      response.writeHead(202).end();
      const ends = /^\/(?:invocation\/[^/]+\/(response|error)|init\/(error))$/.exec(url.slice(VERSION.length));
      if (ends?.[1] === 'response') settle?.done(text);
      else settle?.failed(new Error(`${method} ${url}: ${text}`));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    address: `127.0.0.1:${port}`,
    invoke: (event) =>
      new Promise((done, failed) => {
        settle = { done, failed };
        events.push(event);
        hand();
      }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function textOf(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
