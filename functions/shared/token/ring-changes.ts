import { after, unixSeconds, type Seconds, type UnixSeconds } from '../domain/time.ts';
import { hasEnded, keySigningAt, type RingKey } from './key-ring.ts';
import type { KeyTimes } from './new-keys.ts';

/** Where a key of a ring stands at a time. */
export type KeyState = 'next' | 'current' | 'previous' | 'ended';

/** @throws {NoKey} where no key of the ring signs at that time */
export function stateOf<Key extends RingKey>(key: Key, ring: readonly Key[], time: UnixSeconds): KeyState {
  if (hasEnded(key, time)) return 'ended';
  if (key.signsFrom > time) return 'next';
  return keySigningAt(ring, time).kid === key.kid ? 'current' : 'previous';
}

/** The ring without the keys of which nothing is accepted any more. */
export const withoutEnded = <Key extends RingKey>(ring: readonly Key[], now: UnixSeconds): readonly Key[] =>
  ring.filter((key) => !hasEnded(key, now));

/** The keys that were published and do not sign yet. */
export const keysWaiting = <Key extends RingKey>(ring: readonly Key[], now: UnixSeconds): readonly Key[] =>
  withoutEnded(ring, now).filter(({ signsFrom }) => signsFrom > now);

/**
 * The ring with a key that is published from now on, without those that have ended by then. Each key ends when what it
 * signed last has ended, and the last one to sign has no end.
 *
 * @param keptFor how long after its successor's first signature a key is still needed; undefined where nobody can say:
 *   then no key ever ends
 */
export function withNextKey<Key extends RingKey>(
  ring: readonly Key[],
  next: Key,
  keptFor: Seconds | undefined,
): readonly Key[] {
  const keys = inOrder([...withoutEnded(ring, next.publishedAt), next]);
  return keys.map((key, at) => {
    const successor = keys[at + 1];
    if (successor === undefined || keptFor === undefined) return lasting(key);
    // Never earlier than it was said before: the settings may have been others when it signed.
    return { ...key, endsAt: unixSeconds(Math.max(successor.signsFrom + keptFor, key.endsAt ?? 0)) };
  });
}

/**
 * The ring in which a key has ended. Where it was the one that signs, the key that waits longest signs at once, or, where
 * none waits, a new one. Where it was waiting, the one before it signs on.
 *
 * @returns undefined where the ring has no such key, or that has ended already
 */
export async function withKeyRetired<Key extends RingKey>(
  ring: readonly Key[],
  kid: string,
  now: UnixSeconds,
  newKey: (times: KeyTimes) => Promise<Key>,
): Promise<readonly Key[] | undefined> {
  const retired = ring.find((key) => key.kid === kid && !hasEnded(key, now));
  if (retired === undefined) return undefined;
  const ended = { ...retired, endsAt: now };
  const others = withoutEnded(ring, now).filter((key) => key !== retired);
  const [heir] = inOrder(keysWaiting(others, now));
  switch (stateOf(retired, ring, now)) {
    case 'current': {
      const successor =
        heir === undefined ? await newKey({ publishedAt: now, signsFrom: now }) : signingFrom(heir, now);
      return [ended, ...withLastLasting([...others.filter((key) => key !== heir), successor])];
    }
    case 'next': {
      const [later] = inOrder(keysWaiting(others, retired.signsFrom));
      const before = inOrder(others.filter(({ signsFrom }) => signsFrom <= retired.signsFrom)).at(-1);
      return [
        ended,
        ...withLastLasting(
          others.map((key) => (key === before && later ? longerBy(key, later.signsFrom - retired.signsFrom) : key)),
        ),
      ];
    }
    case 'previous':
    case 'ended':
      return [ended, ...withLastLasting(others)];
  }
}

const signingFrom = <Key extends RingKey>(key: Key, signsFrom: UnixSeconds): Key => ({ ...key, signsFrom });

const longerBy = <Key extends RingKey>(key: Key, seconds: Seconds): Key =>
  key.endsAt === undefined ? key : { ...key, endsAt: after(key.endsAt, seconds) };

/** The last to sign has no end: there would be no key after it. */
function withLastLasting<Key extends RingKey>(keys: readonly Key[]): readonly Key[] {
  const ordered = inOrder(keys);
  return ordered.map((key, at) => (at === ordered.length - 1 ? lasting(key) : key));
}

const inOrder = <Key extends RingKey>(keys: readonly Key[]): readonly Key[] =>
  keys.toSorted((one, other) => one.signsFrom - other.signsFrom);

function lasting<Key extends RingKey>(key: Key): Key {
  if (key.endsAt === undefined) return key;
  const kept: Key & { endsAt?: UnixSeconds } = { ...key };
  delete kept.endsAt;
  return kept;
}
