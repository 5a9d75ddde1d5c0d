import type { KeyKeeper } from '../domain/key-custody.ts';
import type { SigningCustody } from '../domain/settings.ts';
import { newKmsKey, tidyBefore, type TidyNeeds } from './kms-keys.ts';
import { newSigningKey, type NewSigningKey } from './new-keys.ts';

/**
 * How new signing keys are made in a deployment.
 *
 * @param needs without a `keeper` where the deployment has no keys in KMS
 * @throws {Error} where keys are to be in KMS and there is none
 */
export function newKeysFor(
  custody: SigningCustody,
  { keeper, ...needs }: Omit<TidyNeeds, 'keeper'> & { readonly keeper: KeyKeeper | undefined },
): NewSigningKey {
  if (custody === 'secret') return newSigningKey;
  if (keeper === undefined) throw new Error(`The bundle of this function is not one for signing=${custody}.`);
  const make: NewSigningKey = (alg, times) =>
    custody === 'kms' ? newKmsKey(keeper, alg, times) : newSigningKey(alg, times);
  return tidyBefore(make, { keeper, ...needs });
}
