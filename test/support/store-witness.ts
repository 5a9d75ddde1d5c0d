/** Stands before the store and writes down which function asked what of it, in the words of IAM. */
import { once } from 'node:events';
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type IamRequest, type PartitionKeys, requestsOf } from './iam.ts';

export interface Witnessed extends IamRequest {
  /** Logical id of the function. */
  readonly by: string;
}

export interface StoreWitness {
  readonly seen: readonly Witnessed[];
  /** The store, for one function: every call that comes this way is its. */
  endpointFor(functionId: string): string;
  stop(): Promise<void>;
}

/** @param upstream the engine's endpoint */
export async function startStoreWitness(
  upstream: string,
  partitionKeys: PartitionKeys,
  arnOf: (table: string) => string,
): Promise<StoreWitness> {
  const agent = new Agent({ keepAlive: true });
  const seen: Witnessed[] = [];

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const [, by = ''] = (incoming.url ?? '').split('/');
    const operation = String(incoming.headers['x-amz-target']).split('.')[1] ?? '';
    const input: unknown = JSON.parse(body.toString('utf8'));
    seen.push(...requestsOf(operation, input, partitionKeys, arnOf).map((one) => ({ by, ...one })));
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
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    seen,
    endpointFor: (functionId) => `http://127.0.0.1:${port}/${functionId}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      agent.destroy();
    },
  };
}
