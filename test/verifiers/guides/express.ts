import type { IncomingMessage, ServerResponse } from 'node:http';
import { jsonwebtoken } from './jsonwebtoken.ts';

/** For `app.use(bearer(issuer, audience))`; the claims are at `request.claims`. */
export function bearer(issuer: string, audience: string) {
  const verify = jsonwebtoken(issuer, audience);
  return async (request: IncomingMessage & { claims?: unknown }, response: ServerResponse, next: () => void) => {
    const [, token = ''] = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    try {
      request.claims = await verify(token);
    } catch {
      response.writeHead(401, { 'WWW-Authenticate': 'Bearer error="invalid_token"' }).end();
      return;
    }
    next();
  };
}
