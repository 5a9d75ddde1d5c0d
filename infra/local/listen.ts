import type { Server } from 'node:http';
import { Complaint } from './complaint.ts';

/** How long a request in progress may take to end when its server closes. */
const LAST_REQUESTS_MILLISECONDS = 2_000;

/**
 * How long a connection may be idle: far longer than clients keep one. With Node's five
 * seconds a busy machine ends connections that a client is just about to use.
 */
const IDLE_MILLISECONDS = 60_000;

export interface Listening {
  /** Base URL, without a slash at the end. */
  readonly endpoint: string;
  /** Takes no more requests, waits a little for those in progress, and ends every connection. */
  readonly close: () => Promise<void>;
}

/** @param port 0 for any free one. @throws {Complaint} when the port is taken or the address is not this machine's */
export async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<Listening> {
  server.keepAliveTimeout = IDLE_MILLISECONDS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const cause =
        error.code === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${error.code ?? error.message})`;
      reject(new Complaint(`${host}:${port} ${cause}. Name another with PORT=… or HOST=….`));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address');
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return {
    endpoint: `http://${name}:${address.port}`,
    close: async () => {
      const timer = setTimeout(() => server.closeAllConnections(), LAST_REQUESTS_MILLISECONDS);
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
      clearTimeout(timer);
    },
  };
}
