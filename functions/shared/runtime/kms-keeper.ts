import {
  CreateKeyCommand,
  DescribeKeyCommand,
  GetPublicKeyCommand,
  type KeyMetadata,
  type KMSClient,
  KMSServiceException,
  ListKeysCommand,
  ListResourceTagsCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import type { KeyKeeper } from '../domain/key-custody.ts';
import { RING_TAG } from '../domain/kms-mark.ts';
import { unixSeconds } from '../domain/time.ts';
import { IN_KMS } from './kms-algorithms.ts';
import { kmsClient } from './kms-client.ts';

/** Days from the order to delete a key, which takes it out of service at once, to its end: the fewest that KMS allows. */
const DAYS_TO_DELETION = 7;

/** So many keys of an account are looked at at a time: far below the 2,000 calls a second that KMS allows. */
const AT_ONCE = 10;

/** States from which a key does not come back by itself. */
const LEAVING = new Set(['PendingDeletion', 'PendingReplicaDeletion']);

const isCalled = (error: unknown, name: string): boolean => error instanceof KMSServiceException && error.name === name;

/**
 * Keys in KMS that are marked as those of one ring.
 *
 * @param ring the ARN of the ring's secret
 */
export function keeperInKms(ring: string, client: KMSClient = kmsClient()): KeyKeeper {
  /** KMS finds no keys by a tag, so each key of the account is asked; whose tags we may not see is none of ours. */
  const isOurs = async (id: string): Promise<boolean> => {
    try {
      const { Tags = [] } = await client.send(new ListResourceTagsCommand({ KeyId: id }));
      return Tags.some(({ TagKey, TagValue }) => TagKey === RING_TAG && TagValue === ring);
    } catch (error) {
      if (isCalled(error, 'AccessDeniedException') || isCalled(error, 'NotFoundException')) return false;
      throw error;
    }
  };
  return {
    async make(alg) {
      const { KeyMetadata } = await client.send(
        new CreateKeyCommand({
          KeySpec: IN_KMS[alg].spec,
          KeyUsage: 'SIGN_VERIFY',
          Description: 'Signs access tokens of Latchkey',
          Tags: [{ TagKey: RING_TAG, TagValue: ring }],
        }),
      );
      return arnIn(KeyMetadata);
    },
    async publicKey(id) {
      const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId: id }));
      if (PublicKey === undefined) throw new Error('KMS answered no public key');
      return PublicKey;
    },
    async ours() {
      const found: { id: string; madeAt: ReturnType<typeof unixSeconds> }[] = [];
      for (let marker: string | undefined, isMore = true; isMore;) {
        const { Keys = [], NextMarker, Truncated } = await client.send(new ListKeysCommand({ Marker: marker }));
        const ids = Keys.map(({ KeyId = '' }) => KeyId);
        for (let from = 0; from < ids.length; from += AT_ONCE) {
          const some = await Promise.all(
            ids.slice(from, from + AT_ONCE).map(async (id) => ((await isOurs(id)) ? id : '')),
          );
          for (const id of some.filter((one) => one !== '')) {
            const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: id }));
            if (LEAVING.has(KeyMetadata?.KeyState ?? '')) continue;
            const madeAt = unixSeconds((KeyMetadata?.CreationDate?.getTime() ?? 0) / 1000);
            found.push({ id: arnIn(KeyMetadata), madeAt });
          }
        }
        marker = NextMarker;
        isMore = Truncated === true;
      }
      return found;
    },
    async remove(id) {
      try {
        await client.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: DAYS_TO_DELETION }));
      } catch (error) {
        // It is on its way out, or gone.
        if (isCalled(error, 'KMSInvalidStateException') || isCalled(error, 'NotFoundException')) return;
        throw error;
      }
    },
  };
}

function arnIn(metadata: KeyMetadata | undefined): string {
  if (metadata?.Arn === undefined) throw new Error('KMS answered no ARN');
  return metadata.Arn;
}
