/** A wire between callers and an API, which counts what goes through and can lose an answer. */
import { once } from 'node:events';
import { createServer, request, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Wire {
  readonly url: string;
  /** `POST /api/token`, in the order in which they came. */
  readonly passed: readonly string[];
  /** The headers of each, in the same order. */
  readonly headers: readonly IncomingHttpHeaders[];
  /** Asked when an answer is there: whether the connection ends in its place. */
  cuts: (line: string) => boolean | Promise<boolean>;
  close(): Promise<void>;
}

/** @param target base URL of the API */
export async function wireTo(target: string): Promise<Wire> {
  const passed: string[] = [];
  const sent: IncomingHttpHeaders[] = [];
  const server = createServer((incoming, response) => {
    const line = `${incoming.method ?? ''} ${incoming.url ?? ''}`;
    passed.push(line);
    const { method, headers } = incoming;
    sent.push(headers);
    const outgoing = request(new URL(incoming.url ?? '/', target), { method, headers }, (answer) => {
      void Promise.resolve(wire.cuts(line)).then((isCut) => {
        if (isCut) {
          answer.resume();
          response.destroy();
          return;
        }
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  });
  // Node's five seconds may end a connection that a caller is just about to use.
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const wire: Wire = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed,
    headers: sent,
    cuts: () => false,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return wire;
}
