import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';

/** What came in. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What goes out: `never` leaves the caller waiting, `hang-up` closes the connection. */
export type Answer =
  { readonly status?: number; readonly body?: string; readonly headers?: Record<string, string> } | 'never' | 'hang-up';

export interface TestServer {
  readonly url: string;
  readonly received: Received[];
  close(): Promise<void>;
}

/** A server of this test's own on the loopback interface. */
export async function serve(answer: (request: Received) => Answer): Promise<TestServer> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void readFrom(request).then(
      (one) => {
        received.push(one);
        const reply = answer(one);
        if (reply === 'never') return;
        if (reply === 'hang-up') return void response.destroy();
        response.writeHead(reply.status ?? 200, reply.headers).end(reply.body ?? '');
      },
      () => response.destroy(),
    );
  });
  // Node's five seconds may end a connection that a caller is just about to use.
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function readFrom(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}
