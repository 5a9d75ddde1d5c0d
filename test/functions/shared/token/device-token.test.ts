import { describe, expect, test } from '@jest/globals';
import type { DeviceId } from '../../../../functions/shared/domain/ids.ts';
import { after } from '../../../../functions/shared/domain/time.ts';
import {
  DEVICE_TOKEN_SECONDS,
  deviceReaderWith,
  deviceTokensWith,
} from '../../../../functions/shared/token/device-token.ts';
import type { SharedSecret } from '../../../../functions/shared/token/key-ring.ts';
import { ringText } from '../../../../functions/shared/token/new-keys.ts';
import { importedSecretsFrom } from '../../../../functions/shared/token/refresh-token.ts';
import { aSession } from '../../../support/builders.ts';
import { START } from '../../../support/clock.ts';
import { headerPartOf, payloadOf } from '../../../support/forge.ts';
import { anIssuer, aSecret, goodClaims, refreshTokensOf } from '../../../support/tokens.ts';

const DEVICE = 'a-device' as DeviceId;

async function tokensOf(...secrets: SharedSecret[]) {
  const ring = await importedSecretsFrom(ringText(secrets));
  const given = () => Promise.resolve(ring);
  return { make: deviceTokensWith(given), read: deviceReaderWith(given) };
}

describe('a device token', () => {
  test('names the device and, hashed, the name it logged in under', async () => {
    const { make } = await tokensOf(aSecret());
    const token = await make(DEVICE, 'ada', START);
    expect(headerPartOf(token)).toMatchObject({ alg: 'HS256', typ: 'dt+jwt' });
    expect(payloadOf(token)).toEqual({
      device: DEVICE,
      name: expect.stringMatching(/^[\w-]{43}$/),
      iat: START,
      exp: START + DEVICE_TOKEN_SECONDS,
      token_type: 'device',
    });
  });

  test('is read for that name and no other', async () => {
    const { make, read } = await tokensOf(aSecret());
    const token = await make(DEVICE, 'ada', START);
    expect(await read(token, 'ada', START)).toBe(DEVICE);
    expect(await read(token, 'bob', START)).toBeUndefined();
  });

  test('is good in the second before its end, and a stranger’s in that second', async () => {
    const { make, read } = await tokensOf(aSecret());
    const token = await make(DEVICE, 'ada', START);
    expect(await read(token, 'ada', after(START, DEVICE_TOKEN_SECONDS - 1))).toBe(DEVICE);
    expect(await read(token, 'ada', after(START, DEVICE_TOKEN_SECONDS))).toBeUndefined();
  });

  test('is a stranger’s where it is garbage, changed, another’s, or its secret has ended', async () => {
    const secret = aSecret();
    const { make, read } = await tokensOf(secret);
    const token = await make(DEVICE, 'ada', START);
    const other = await (await tokensOf(aSecret())).make(DEVICE, 'ada', START);
    const texts = ['', 'x', 'a.b.c', `${token}x`, `${token.slice(0, -4)}AAAA`, other, 'x'.repeat(20_000)];
    for (const text of texts) expect(await read(text, 'ada', START)).toBeUndefined();
    const ended = await tokensOf({ ...secret, endsAt: after(START, 10) }, aSecret());
    expect(await ended.read(token, 'ada', after(START, 9))).toBe(DEVICE);
    expect(await ended.read(token, 'ada', after(START, 10))).toBeUndefined();
  });

  test('is no refresh token, and a refresh or access token is no device token, though one secret signs two of them', async () => {
    const secret = aSecret();
    const device = await tokensOf(secret);
    const refresh = await refreshTokensOf(secret);
    const token = await device.make(DEVICE, 'ada', START);
    await expect(refresh.read(token, START)).rejects.toMatchObject({ reason: 'token-forged' });
    expect(await device.read(await refresh.make(aSession(), START), 'ada', START)).toBeUndefined();
    const { forge, header } = await anIssuer();
    expect(await device.read(forge(header, goodClaims), 'ada', START)).toBeUndefined();
  });

  test('throws where the secrets are out of reach, as nobody is a stranger for that', async () => {
    const read = deviceReaderWith(() => Promise.reject(new Error('out of reach')));
    await expect(read('x', 'ada', START)).rejects.toThrow('out of reach');
  });
});
