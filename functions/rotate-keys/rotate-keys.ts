import type { RotatingSecret } from '../shared/domain/kept.ts';
import { after, type Clock, type Seconds } from '../shared/domain/time.ts';
import { ringIfAny, type SharedSecret, type SigningKey } from '../shared/token/key-ring.ts';
import type { KeyTimes } from '../shared/token/new-keys.ts';
import { keysWaiting, withNextKey, withoutEnded } from '../shared/token/ring-changes.ts';
import { madeFromIn, pendingText } from './pending-ring.ts';

/** One of the three secrets: how its keys are read and made, and how long they last. */
export interface RingNeeds<Key extends SigningKey | SharedSecret> {
  now: Clock;
  secret: RotatingSecret;
  read: (text: string) => readonly Key[];
  newKey: (times: KeyTimes) => Key | Promise<Key>;
  /** How long a key is published, or known to every function, before it signs. */
  publication: Seconds;
  /** How long a key is still needed after its successor's first signature; undefined for ever. */
  keptFor: Seconds | undefined;
  /** Tells everybody who verifies of the keys of a ring. */
  publish: (ring: readonly Key[]) => Promise<void>;
  /** @throws {Error} where the keys do not work, or not everybody can know them */
  prove: (ring: readonly Key[]) => Promise<void>;
  /** Looks after what was published, once a ring is current. */
  settle: () => Promise<void>;
}

/** A rotation that cannot go on. Secrets Manager tries again: with the same version where that is pending, else with a new one. */
export class RotationHalted extends Error {
  override readonly name = 'RotationHalted';
}

/**
 * The part of its publication time that a new key must still have before it when it is published and when its ring becomes
 * current. A rotation that was held up for longer is given up: its key would sign before every verifier could know it.
 */
const LEAST_LEFT = 3 / 4;

/**
 * The four steps in which Secrets Manager rotates a secret. Each may run again, at the same time as itself, or after a
 * later one, and whatever was done before it: nothing happens twice, and a ring only takes the place of the one that it was
 * made from. Promotion and retirement need no step, as a key's times say when it signs and when it ends.
 */
export const STEPS = {
  /** Makes the next ring. Where a key waits already, another would only make the ring longer: it stays as it is. */
  async createSecret(token, needs) {
    const { secret, now, publication } = needs;
    if ((await secret.textOf(token)) !== undefined) {
      await rings(token, needs);
      return;
    }
    const current = await secret.current();
    const ring = ringIfAny(current?.text, needs.read);
    if (current === undefined || ring === undefined) throw new RotationHalted('there are no keys yet');
    const publishedAt = now();
    const next =
      keysWaiting(ring, publishedAt).length > 0
        ? withoutEnded(ring, publishedAt)
        : withNextKey(
            ring,
            await needs.newKey({ publishedAt, signsFrom: after(publishedAt, publication) }),
            needs.keptFor,
          );
    await secret.putPending(token, pendingText(next, current.id));
  },

  /** Publishes the next ring, while the current one still signs. */
  async setSecret(token, needs) {
    const { pending } = await ringsInTime(token, needs);
    await needs.publish(pending);
    // A key may have been retired after the ring was read; then this was written over what that published.
    await rings(token, needs);
  },

  /**
   * Tries every key of the next ring with what is published. Secrets Manager also asks for this step alone, with a copy of
   * the current ring, when the schedule is made.
   */
  async testSecret(token, needs) {
    const { pending } = await rings(token, needs);
    await needs.prove(withoutEnded(pending, needs.now()));
  },

  /** Makes the next ring current, in the place of the one that it was made from and of no other. */
  async finishSecret(token, needs) {
    const { pending, madeFrom } = await ringsInTime(token, needs);
    await needs.publish(pending);
    if (!(await needs.secret.promote(token, madeFrom))) await giveUp(token, needs, CHANGED_MEANWHILE);
  },
} as const satisfies Record<string, Step>;

export type StepName = keyof typeof STEPS;

type Step = <Key extends SigningKey | SharedSecret>(token: string, needs: RingNeeds<Key>) => Promise<void>;

/**
 * Does one step of a rotation.
 *
 * @param token names the version that is to become current
 * @throws {RotationHalted}
 */
export async function rotateKeys<Key extends SigningKey | SharedSecret>(
  step: StepName,
  token: string,
  needs: RingNeeds<Key>,
): Promise<void> {
  switch (await needs.secret.stateOf(token)) {
    case 'gone':
      throw new RotationHalted('no such version is pending');
    case 'pending':
      await STEPS[step](token, needs);
      if (step !== 'finishSecret') return;
      break;
    case 'current':
      // All is done; but it may have been cut off before its very end.
      break;
  }
  await needs.settle();
}

const CHANGED_MEANWHILE = 'the ring was changed meanwhile';

/** The current ring and the pending one, which is given up where it was made from another than that. */
async function rings<Key extends SigningKey | SharedSecret>(token: string, needs: RingNeeds<Key>) {
  const { secret, read } = needs;
  const text = await secret.textOf(token);
  const pending = ringIfAny(text, read);
  if (text === undefined || pending === undefined) throw new RotationHalted('there is no pending ring');
  const found = await secret.current();
  const madeFrom = text === found?.text ? found.id : madeFromIn(text);
  // The version itself, where somebody else has just finished.
  if (found?.id !== madeFrom && found?.id !== token) await giveUp(token, needs, CHANGED_MEANWHILE);
  return { pending, madeFrom, current: ringIfAny(found?.text, read) ?? [] };
}

/** As {@link rings}; the pending one is also given up where it comes too late. */
async function ringsInTime<Key extends SigningKey | SharedSecret>(token: string, needs: RingNeeds<Key>) {
  const found = await rings(token, needs);
  const { now, publication } = needs;
  const newKeys = found.pending.filter(({ kid }) => !found.current.some((key) => key.kid === kid));
  if (!newKeys.every(({ signsFrom }) => signsFrom - now() >= publication * LEAST_LEFT)) {
    await giveUp(token, needs, 'the new key would sign too early');
  }
  return found;
}

/** @throws {RotationHalted} always, once all is as if there had been no rotation */
async function giveUp<Key extends SigningKey | SharedSecret>(
  token: string,
  { secret, settle }: RingNeeds<Key>,
  why: string,
): Promise<never> {
  // First, because nobody comes back for a version that was given up.
  await settle();
  await secret.giveUp(token);
  throw new RotationHalted(why);
}
