import { jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { generate } from 'selfsigned';
import type { SigningAlgorithm } from '../../functions/shared/domain/settings.ts';
import { unixSeconds } from '../../functions/shared/domain/time.ts';
import type { KeptKey } from '../../functions/shared/token/key-ring.ts';
import { newSigningKey } from '../../functions/shared/token/new-keys.ts';
import { publicKeysOf } from '../../functions/shared/token/public-keys.ts';
import { apiEvent } from './events.ts';
import { serve } from './http-server.ts';

/** An issuer of its own key set, somewhere below the server's URL. */
export interface PublishedIssuer {
  /** What its tokens name as `iss`. */
  readonly url: string;
  readonly keys: readonly KeptKey[];
}

export interface IssuerServer {
  /** Publishes a new issuer with a key of each algorithm. @param path `''`, or where a stage would be: `/v1` */
  issuer(path: string, ...algorithms: SigningAlgorithm[]): Promise<PublishedIssuer>;
  /** Paths that were asked for. */
  readonly asked: string[];
  close(): Promise<void>;
}

type Handler = (typeof import('../../functions/jwks/handler.ts'))['handler'];

/** Serves the documents of issuers with the deployed function's own handler, over HTTPS that this process trusts. */
export async function startIssuerServer(): Promise<IssuerServer> {
  // Each of its own name: of two trusted certificates with one name OpenSSL may try the wrong one.
  const { private: key, cert } = await generate([{ name: 'commonName', value: `test ${randomUUID()}` }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  const trusted = tls.getCACertificates('default');
  tls.setDefaultCACertificates([...trusted, cert]);

  const handlers = new Map<string, Handler>();
  const published = new Map<string, string>();
  const parameters = await serve(({ path }) => ({
    body: JSON.stringify({
      Parameter: { Value: published.get(new URL(path, 'http://localhost').searchParams.get('name') ?? '') },
    }),
  }));

  const asked: string[] = [];
  const server = createServer({ key, cert }, (request, response) => {
    const { url: path = '' } = request;
    asked.push(path);
    const at = Math.max(path.indexOf('/.well-known/'), 0);
    const handler = handlers.get(path.slice(0, at));
    if (handler === undefined) return void response.writeHead(404).end();
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const event = apiEvent({ method: 'GET', resource: path.slice(at), headers });
    void handler(event).then(({ statusCode, headers: own = {}, body }) => {
      for (const [name, value] of Object.entries(own)) response.setHeader(name, String(value));
      response.writeHead(statusCode).end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    asked,
    async issuer(path, ...algorithms) {
      const url = `https://localhost:${port}${path}`;
      const longAgo = { publishedAt: unixSeconds(0), signsFrom: unixSeconds(0) };
      const keys = await Promise.all(algorithms.map((alg) => newSigningKey(alg, longAgo)));
      const name = `/keys${path}`;
      published.set(name, JSON.stringify(publicKeysOf(keys, unixSeconds(0))));
      Object.assign(process.env, { ISSUER: url, PUBLIC_KEYS_PARAMETER: name, SECRETS_ENDPOINT: parameters.url });
      process.env['PATIENCE'] = '20';
      jest.resetModules();
      handlers.set(path, (await import('../../functions/jwks/handler.ts')).handler);
      return { url, keys };
    },
    async close() {
      tls.setDefaultCACertificates(trusted);
      server.closeAllConnections();
      server.close();
      await Promise.all([once(server, 'close'), parameters.close()]);
    },
  };
}
