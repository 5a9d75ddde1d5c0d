import { KMSClient } from '@aws-sdk/client-kms';
import { optionalEnv } from './env.ts';

/** As patient as the client of the store: whoever waits for it gets a 503 within three seconds. */
const ATTEMPTS = 3;
const CONNECT_WITHIN_MS = 400;
const ANSWER_WITHIN_MS = 750;

/** A client of KMS in the function's own region. */
export function kmsClient(): KMSClient {
  const endpoint = optionalEnv('KMS_ENDPOINT');
  return new KMSClient({
    maxAttempts: ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_WITHIN_MS,
      requestTimeout: ANSWER_WITHIN_MS,
      throwOnRequestTimeout: true,
    },
    ...(endpoint !== undefined && { endpoint }),
  });
}
