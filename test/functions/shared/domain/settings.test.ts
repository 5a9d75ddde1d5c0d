import { describe, expect, test } from '@jest/globals';
import { settingFrom, SETTINGS, type SettingName } from '../../../../functions/shared/domain/settings.ts';

const names = Object.keys(SETTINGS) as SettingName[];

const numbers = names.flatMap((name) => {
  const setting = SETTINGS[name];
  return setting.kind === 'number' ? [{ name, ...setting }] : [];
});

describe.each(names)('the setting %s', (name) => {
  test('has a default that may be deployed and that a function can run with', () => {
    const text = String(SETTINGS[name].default);
    for (const where of ['deploy', 'run'] as const) {
      expect(settingFrom(name, undefined, where)).toBe(SETTINGS[name].default);
      expect(settingFrom(name, text, where)).toBe(SETTINGS[name].default);
    }
  });

  test('refuses an empty text, and its message names the setting and its variable', () => {
    for (const where of ['deploy', 'run'] as const) {
      expect(() => settingFrom(name, '', where)).toThrow(RangeError);
      expect(() => settingFrom(name, '', where)).toThrow(`Setting ${name} (${SETTINGS[name].env}) must be `);
    }
  });
});

describe.each(numbers)('the number $name', ({ name, unit, accepts, deployable }) => {
  test.each([
    ['deploy', deployable],
    ['run', accepts],
  ] as const)('has edges at %s: %j', (where, [least, most]) => {
    const message = `must be a whole number of ${unit} from ${least} to ${most}, not "`;
    expect(settingFrom(name, String(least), where)).toBe(least);
    expect(settingFrom(name, String(most), where)).toBe(most);
    expect(() => settingFrom(name, String(least - 1), where)).toThrow(message);
    expect(() => settingFrom(name, String(most + 1), where)).toThrow(message);
  });

  test('may be deployed only where it can run', () => {
    expect(deployable[0]).toBeGreaterThanOrEqual(accepts[0]);
    expect(deployable[1]).toBeLessThanOrEqual(accepts[1]);
  });

  test.each([
    'ten',
    '1e3',
    '0x20',
    '12.5',
    '-12',
    '+12',
    ' 12',
    '12 ',
    '12\n',
    '١٢',
    'NaN',
    'Infinity',
    '9'.repeat(13),
  ])('is no %j', (text) => {
    expect(() => settingFrom(name, text, 'run')).toThrow(RangeError);
  });
});

describe('a choice', () => {
  test.each(['ES256', 'EdDSA', 'RS256'])('of algorithm is %s', (text) => {
    expect(settingFrom('signingAlgorithm', text, 'deploy')).toBe(text);
  });

  test.each(['none', 'HS256', 'es256', 'PS256', 'ES256 ', 'toString'])('of algorithm is not %j', (text) => {
    expect(() => settingFrom('signingAlgorithm', text, 'run')).toThrow(
      `Setting signingAlgorithm (SIGNING_ALGORITHM) must be one of ES256, EdDSA, RS256, not "${text}".`,
    );
  });

  test('of what tells clients apart names all it takes', () => {
    expect(settingFrom('clientPrint', 'none', 'run')).toBe('none');
    expect(() => settingFrom('clientPrint', 'address', 'run')).toThrow('one of none, agent, address-and-agent');
  });
});

describe('a text', () => {
  test.each(['a', 'https://api.example.org/v1', 'urn:example:api', 'x'.repeat(200)])(
    'for an audience is %j',
    (text) => {
      expect(settingFrom('audience', text, 'deploy')).toBe(text);
    },
  );

  test.each(['x'.repeat(201), 'a b', 'a\n', 'ä', '\0'])('for an audience is not %j', (text) => {
    expect(() => settingFrom('audience', text, 'run')).toThrow(
      'Setting audience (AUDIENCE) must be a text that matches',
    );
    expect(() => settingFrom('clientId', text, 'run')).toThrow('Setting clientId (CLIENT_ID) must be');
  });

  test.each([
    '*',
    'https://app.example.org',
    'http://localhost:5173',
    'http://127.0.0.1:3000',
    'https://app.example.org https://admin.example.org:8443 http://localhost:5173',
    'https://app.example.org:4430 http://app.example.org:8080 https://app.example.org:80 http://app.example.org:443',
    `https://${'x'.repeat(992)}`,
  ])('for origins is %j', (text) => {
    expect(settingFrom('corsOrigin', text, 'deploy')).toBe(text);
  });

  test.each([
    // None of these is ever equal to what a browser sends.
    'https://App.example.org',
    'https://app.example.org:443',
    'http://app.example.org:80',
    'https://app.example.org:08443',
    'https://app.example.org:',
    'https://app.example.org.',
    'https://.example.org',
    'https://app..example.org',
    'https://app.example.org,https://admin.example.org',
    'https://app.example.org  https://admin.example.org',
    ' https://app.example.org',
    'https://app.example.org ',
    'https://app.example.org\n',
    'https://app.example.org *',
    '* https://app.example.org',
    'https://app.example.org https://admin.example.org:443',
    `https://${'x'.repeat(993)}`,
    'https://app.example.org/',
    'app.example.org',
    'null',
    'https://*.example.org',
    '*, *',
    'https://a\r\nb:c',
  ])('for origins is not %j', (text) => {
    expect(() => settingFrom('corsOrigin', text, 'run')).toThrow(
      'Setting corsOrigin (CORS_ORIGIN) must be * or origins as browsers write them',
    );
  });
});
