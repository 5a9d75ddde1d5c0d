import { SignJWT } from 'jose';
import { createHash } from 'node:crypto';
import type { DeviceId } from '../domain/ids.ts';
import { Refusal } from '../domain/refusal.ts';
import { after, type Seconds, type UnixSeconds } from '../domain/time.ts';
import { textIn, timeIn, Unfit, type Members } from '../domain/unknown.ts';
import { asForged, checkTimes } from './claims.ts';
import { headerOf } from './compact.ts';
import { hasEnded, keySigningAt } from './key-ring.ts';
import type { ImportedSecret } from './refresh-token.ts';
import { signedPayload } from './verify.ts';

/** The `typ` of device tokens: they let nobody in, so nothing else may take one for its own. */
export const DEVICE_TYP = 'dt+jwt';

const ALGORITHM = 'HS256';

/** A device that did not log in for this long is a stranger again. */
export const DEVICE_TOKEN_SECONDS: Seconds = 180 * 86_400;

/** Makes the token that tells a device which has logged in under a name from one that has not (OWASP's device cookie). */
export type MakeDeviceToken = (device: DeviceId, name: string, now: UnixSeconds) => Promise<string>;

/**
 * The device that a token names.
 *
 * @returns undefined for a text that is no token of ours, has ended, or was made under another name
 */
export type ReadDeviceToken = (token: string, name: string, now: UnixSeconds) => Promise<DeviceId | undefined>;

type Ring = () => Promise<readonly ImportedSecret[]>;

/** A username is personal data, and this token stays on a device for long. */
const hashOf = (name: string): string => createHash('sha256').update(name, 'utf8').digest('base64url');

export const deviceTokensWith =
  (ring: Ring): MakeDeviceToken =>
  async (device, name, now) => {
    const { kid, key } = keySigningAt(await ring(), now);
    const claims = {
      device,
      name: hashOf(name),
      iat: now,
      exp: after(now, DEVICE_TOKEN_SECONDS),
      token_type: 'device',
    };
    return new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, typ: DEVICE_TYP, kid }).sign(key);
  };

export const deviceReaderWith =
  (ring: Ring): ReadDeviceToken =>
  async (token, name, now) => {
    const secrets = await ring();
    try {
      const { typ, kid } = headerOf(token);
      const secret = secrets.find((one) => one.kid === kid && !hasEnded(one, now));
      if (typ !== DEVICE_TYP || secret === undefined) return undefined;
      const payload = await signedPayload(token, () => secret.key, [ALGORITHM]);
      const claims = asForged(() => deviceClaimsIn(payload));
      checkTimes(claims.iat, claims.exp, now);
      return claims.name === hashOf(name) ? claims.device : undefined;
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  };

function deviceClaimsIn(payload: Members) {
  if (textIn(payload, 'token_type') !== 'device') throw new Unfit('token_type is not device');
  return {
    device: textIn(payload, 'device') as DeviceId,
    name: textIn(payload, 'name'),
    iat: timeIn(payload, 'iat'),
    exp: timeIn(payload, 'exp'),
  };
}
