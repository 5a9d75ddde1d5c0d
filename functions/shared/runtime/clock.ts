import { unixSeconds, type UnixSeconds } from '../domain/time.ts';

/** The time now. The only reader of the machine's clock. */
export const now = (): UnixSeconds => unixSeconds(Date.now() / 1000);
