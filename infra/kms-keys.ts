import type { Stack } from 'aws-cdk-lib/core';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { RING_TAG } from '../functions/shared/domain/kms-mark.ts';
import type { SigningAlgorithm } from '../functions/shared/domain/settings.ts';
import type { Deployment } from './deployment-settings.ts';
import { standInFor } from './stand-ins.ts';

/** Rights to the signing keys that are in AWS KMS. */
export interface KmsKeys {
  /** Lets a function sign with them, and nothing else. */
  lendForSigning(fn: LambdaFunction): void;
  /** Lets a function make them and take them back, and not sign. */
  lendForChanging(fn: LambdaFunction): void;
}

/** How KMS calls the keys of each algorithm. */
const SPECS: Readonly<Record<SigningAlgorithm, string>> = {
  ES256: 'ECC_NIST_P256',
  EdDSA: 'ECC_NIST_EDWARDS25519',
  RS256: 'RSA_3072',
};

/** What tokens are signed with. All of them, because after a change of the setting the key before it signs on for a while. */
const ALGORITHMS = ['ECDSA_SHA_256', 'ED25519_SHA_512', 'RSASSA_PKCS1_V1_5_SHA_256'];

/**
 * Signing keys in KMS. They are not in the template, for each rotation makes a new one: what tells ours from others is a tag.
 *
 * @param ring ARN of the secret of the signing ring, with which they are marked
 * @returns undefined in a deployment without KMS, whose template names it nowhere
 */
export function kmsKeys(stack: Stack, deployment: Deployment, ring: string): KmsKeys | undefined {
  if (deployment.functions.signing === 'secret') return undefined;
  const anyKey = stack.formatArn({ service: 'kms', resource: 'key', resourceName: '*' });
  const ours = { [`aws:ResourceTag/${RING_TAG}`]: ring };
  const marked = { [`aws:RequestTag/${RING_TAG}`]: ring };
  const onlyOurMark = { 'ForAllValues:StringEquals': { 'aws:TagKeys': [RING_TAG] } };
  const spec = { 'kms:KeySpec': SPECS[deployment.functions.signingAlgorithm] };
  const forSigning = { 'kms:KeyUsage': 'SIGN_VERIFY' };
  const allow = (
    fn: LambdaFunction,
    actions: readonly string[],
    resource: string,
    conditions: Record<string, Record<string, unknown>> = {},
  ) => fn.addToRolePolicy(new PolicyStatement({ actions: [...actions], resources: [resource], conditions }));
  return {
    lendForSigning(fn) {
      standInFor(deployment, fn, 'KMS_ENDPOINT');
      allow(fn, ['kms:Sign'], anyKey, { StringEquals: { ...ours, 'kms:SigningAlgorithm': ALGORITHMS } });
    },
    lendForChanging(fn) {
      standInFor(deployment, fn, 'KMS_ENDPOINT');
      // No key has a name before it is made, and a list is one of all keys.
      allow(fn, ['kms:ListKeys'], '*');
      allow(fn, ['kms:CreateKey'], '*', { StringEquals: { ...marked, ...spec, ...forSigning }, ...onlyOurMark });
      // Part of making a key with a tag. It marks with our tag alone.
      allow(fn, ['kms:TagResource'], anyKey, { StringEquals: marked, ...onlyOurMark });
      // Neither by tag: which keys are ours is what the tags are read for, and a tag may count only minutes after it was
      // made, when the public part of a new key is long needed.
      allow(fn, ['kms:ListResourceTags', 'kms:GetPublicKey'], anyKey);
      allow(fn, ['kms:DescribeKey', 'kms:ScheduleKeyDeletion'], anyKey, {
        // Whoever could put our mark on a key of another kind still could not touch it.
        StringEquals: { ...ours, ...forSigning },
      });
    },
  };
}
