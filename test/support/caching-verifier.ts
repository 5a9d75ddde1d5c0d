import { compactVerify, createLocalJWKSet, decodeJwt } from 'jose';

/** A verifier of somebody else's: it keeps the key set for as long as it may and never asks sooner, whatever it meets. */
export interface CachingVerifier {
  /** @throws {Error} where a token that has not ended does not verify with the set that is kept */
  verify(token: string): Promise<void>;
  /** How often the key set was fetched. */
  fetches(): number;
}

/** @param keepFor in milliseconds */
export function cachingVerifier(url: string, keepFor: number): CachingVerifier {
  let kept: { readonly find: ReturnType<typeof createLocalJWKSet>; readonly askedAt: number } | undefined;
  let fetches = 0;
  return {
    fetches: () => fetches,
    async verify(token) {
      if (Number(decodeJwt(token).exp) * 1000 <= Date.now()) return;
      if (kept === undefined || performance.now() - kept.askedAt >= keepFor) {
        fetches += 1;
        const askedAt = performance.now();
        const answer = await fetch(url);
        kept = { find: createLocalJWKSet((await answer.json()) as { keys: [] }), askedAt };
      }
      await compactVerify(token, kept.find);
    },
  };
}
