import { beforeAll, expect, test } from '@jest/globals';
import { Refusal } from '../../../../functions/shared/domain/refusal.ts';
import { localKeySetFrom } from '../../../../functions/shared/token/public-keys.ts';
import { verifierWith } from '../../../../functions/shared/token/verify.ts';
import { START } from '../../../support/clock.ts';
import { headerPartOf } from '../../../support/forge.ts';
import { anIssuer, goodClaims, TERMS, type Issuer } from '../../../support/tokens.ts';
import { cookbookExamples, describeVectors, signatureVectors } from '../../../support/vectors.ts';

let issuer: Issuer;
beforeAll(async () => {
  issuer = await anIssuer();
});

/** A key set that has these keys, each under its own kid and under the one that a token names. */
const keySetOf = (keys: readonly object[], token: string) => {
  const named = keys.map((key) => ({ kid: 'unnamed', ...key }));
  let kid: unknown;
  try {
    ({ kid } = Object(headerPartOf(token)) as { kid?: unknown });
  } catch {
    // A header that is no JSON names no key.
  }
  const again = typeof kid === 'string' ? keys.map((key) => ({ ...key, kid })) : [];
  return localKeySetFrom(JSON.stringify({ keys: [...named, ...again] }));
};

/** Expects a refusal, not merely an error. */
async function expectRefused(verifying: Promise<unknown>): Promise<void> {
  await expect(verifying).rejects.toBeInstanceOf(Refusal);
}

describeVectors('signed texts of others', () => {
  test('are there, with the number that their authors count', () => {
    expect(signatureVectors('json_web_signature')).toHaveLength(401);
    expect(signatureVectors('json_web_crypto')).toHaveLength(49);
    expect(cookbookExamples().length).toBeGreaterThanOrEqual(11);
  });

  test.each(['json_web_signature', 'json_web_crypto'])(
    'of Wycheproof (%s) are refused one and all, be our keys known or theirs',
    async (file) => {
      const ours = [issuer.key.privateJwk].map(({ kty, crv, x, y }) => ({ kty, crv, x, y, kid: issuer.key.kid }));
      for (const { token, keys } of signatureVectors(file)) {
        await expectRefused(issuer.verify(token, START));
        await expectRefused(verifierWith(keySetOf([...keys, ...ours], token), TERMS)(token, START));
      }
      await expect(issuer.verify(issuer.forge(issuer.header, goodClaims), START)).resolves.toBeDefined();
    },
  );

  test('of RFC 7520, RFC 7797 and RFC 8037 are good signatures but no tokens of ours', async () => {
    for (const { token, keys } of cookbookExamples()) {
      await expectRefused(issuer.verify(token, START));
      await expectRefused(verifierWith(keySetOf(keys, token), TERMS)(token, START));
    }
  });
});
