/** The inside of {@link file://./store-witness.ts}: a thread of its own, so that a busy test does not slow the store down. */
import { once } from 'node:events';
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

/** One call as it came: the path's first segment says by whom. */
export interface HeardCall {
  readonly by: string;
  readonly operation: string;
  readonly body: string;
}
export type Report = { readonly port: number } | { readonly heard: readonly HeardCall[] };

const upstream = String((workerData as { upstream: unknown }).upstream);
const agent = new Agent({ keepAlive: true });
const heard: HeardCall[] = [];
const report = (message: Report): void => parentPort?.postMessage(message);

async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const [, by = ''] = (incoming.url ?? '').split('/');
  const operation = String(incoming.headers['x-amz-target']).split('.')[1] ?? '';
  heard.push({ by, operation, body: body.toString('utf8') });
  const headers = { ...incoming.headers, host: new URL(upstream).host };
  const outgoing = request(upstream, { agent, method: 'POST', path: '/', headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  outgoing.on('error', () => response.destroy());
  outgoing.end(body);
}

const server = createServer((incoming, response) => {
  void serve(incoming, response).catch(() => response.destroy());
});
// Node's five seconds may end a connection that a caller is just about to use.
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1');
await once(server, 'listening');
report({ port: (server.address() as AddressInfo).port });
parentPort?.on('message', () => report({ heard: heard.splice(0) }));
