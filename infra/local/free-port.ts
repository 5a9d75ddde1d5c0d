import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that systems give to whoever asks for any (32768 and up on Linux, 49152 elsewhere): one that is free
 * stays free until it is listened on, seconds later or again after a pause.
 */
const FIRST = 10_000;
/** Processes that start at once look in different places. */
const OF_A_PROCESS = 100;
const PROCESSES = 220;

/** Not where the last one that was here began: what is still on its way there must not come here. */
let looked = randomInt(OF_A_PROCESS);

/** A loopback port on which nothing listens, and another one at each call. @throws {Error} where there is none */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < OF_A_PROCESS; tried += 1) {
    const port = FIRST + (process.pid % PROCESSES) * OF_A_PROCESS + (looked++ % OF_A_PROCESS);
    if (await isFree(port)) return port;
  }
  throw new Error('No loopback port is free.');
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}
