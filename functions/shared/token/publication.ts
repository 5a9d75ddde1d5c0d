import type { KeptSecret, KeptText } from '../domain/kept.ts';
import type { Clock } from '../domain/time.ts';
import { ringIfAny, signingRingFrom, type SigningKey } from './key-ring.ts';
import { keySetFrom, publicKeysOf } from './public-keys.ts';

/** Where the public keys are kept for everybody, and since when. */
export interface PublicationNeeds {
  now: Clock;
  publicKeys: KeptText;
}

/** Writes the public keys of a ring to where they are read from, unless they are there. */
export async function publish(ring: readonly SigningKey[], { publicKeys, now }: PublicationNeeds): Promise<void> {
  const text = JSON.stringify(publicKeysOf(ring, now()));
  if ((await publicKeys.read()) !== text) await publicKeys.write(text);
}

/** Whether every key of a ring that has not ended is published. */
export async function arePublished(
  ring: readonly SigningKey[],
  { publicKeys, now }: PublicationNeeds,
): Promise<boolean> {
  const published = ringIfAny(await publicKeys.read(), keySetFrom)?.keys ?? [];
  return publicKeysOf(ring, now()).keys.every(({ kid }) => published.some((key) => key.kid === kid));
}

/**
 * Publishes the ring that is current, and looks once more whether it still is: of two who change it at the same time
 * the later writer of the public keys may have read the earlier ring. Everybody who made a ring current ends with this.
 */
export async function publishCurrent(needs: PublicationNeeds & { signingKeys: KeptSecret }): Promise<void> {
  let found = await needs.signingKeys.current();
  for (;;) {
    const ring = ringIfAny(found?.text, signingRingFrom);
    if (ring !== undefined) await publish(ring, needs);
    const read = await needs.signingKeys.current();
    if (read?.id === found?.id) return;
    found = read;
  }
}
