import { KMSClient } from '@aws-sdk/client-kms';
import { connection } from './connection.ts';

/** As patient as the client of the store: whoever waits for it gets a 503 within three seconds. */
const ATTEMPTS = 3;

/** A client of KMS in the function's own region. */
export const kmsClient = (): KMSClient => new KMSClient({ ...connection('KMS_ENDPOINT'), maxAttempts: ATTEMPTS });
