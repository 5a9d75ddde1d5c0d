import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  accountWasDeleted,
  confirmEmail,
  emailChanging,
  passwordWasReset,
  resetPassword,
} from '../../../../functions/shared/mail/letters.ts';
import { mailerFrom } from '../../../../functions/shared/mail/mailer.ts';
import { startSesStandIn, type SesStandIn } from '../../../../infra/local/ses-stand-in.ts';
import { serve } from '../../../support/http-server.ts';

const FROM = 'auth@example.com';
const SOON = { requestTimeout: 200, throwOnRequestTimeout: true };
const MAIL = { to: 'ada@example.com', subject: 'Hello', text: 'Grüße\n' };

let ses: SesStandIn;
beforeAll(() => {
  Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' });
});
beforeEach(async () => {
  ses = await startSesStandIn();
});
afterEach(() => ses.close());

test('a mail arrives as it was written', async () => {
  await mailerFrom(FROM, ses)!(MAIL);
  expect(ses.mails).toEqual([
    { at: expect.any(String), from: FROM, to: ['ada@example.com'], subject: 'Hello', text: 'Grüße\n' },
  ]);
});

test('without an address of ours there is no mailer', () => {
  expect(mailerFrom('none', ses)).toBeUndefined();
});

test.each([
  'ada@example.com\r\nBcc: eve@example.com',
  'ada@example.com\n',
  'ada@example.com,eve@example.com',
  'ada@example.com, eve@example.com',
  'Eve <eve@example.com>',
  '"ada\r\n"@example.com',
  'ada@example.com\0',
  'äda@example.com',
  '',
])('nothing is sent to %j', async (to) => {
  await expect(mailerFrom(FROM, ses)!({ ...MAIL, to })).rejects.toThrow('no address to send to');
  expect(ses.mails).toEqual([]);
});

test.each(['hang-up', 'never', { status: 400, body: '{}' }, { status: 500, body: 'no' }] as const)(
  'a service that answers %j is a failure, soon',
  async (answer) => {
    const server = await serve(() => answer);
    try {
      await expect(mailerFrom(FROM, { endpoint: server.url, requestHandler: SOON })!(MAIL)).rejects.toThrow();
      expect(server.received.length).toBeLessThanOrEqual(2);
    } finally {
      await server.close();
    }
  },
);

const LETTERS = {
  confirmEmail: (link: string) => confirmEmail('ada@example.com', 'ada', link, 'TOKEN'),
  resetPassword: (link: string) => resetPassword('ada@example.com', 'ada', link, 'TOKEN'),
};

test.each(Object.keys(LETTERS) as (keyof typeof LETTERS)[])('%s has the token, in a link or bare', (letter) => {
  const link = 'https://app.example/go?a=$&&token={token}#x';
  const { text } = LETTERS[letter](link);
  expect(text.split('\n')).toContain('https://app.example/go?a=$&&token=TOKEN#x');
  expect(LETTERS[letter]('none').text.split('\n')).toContain('TOKEN');
});

test('every letter names the account, and its subject is ours alone', () => {
  const letters = [
    LETTERS.confirmEmail('none'),
    LETTERS.resetPassword('none'),
    emailChanging('ada@example.com', 'ada'),
    passwordWasReset('ada@example.com', 'ada'),
    accountWasDeleted('ada@example.com', 'ada'),
  ];
  expect(new Set(letters.map(({ subject }) => subject)).size).toBe(5);
  for (const { to, subject, text } of letters) {
    expect([to, text.includes('"ada"'), text.endsWith('\n')]).toEqual(['ada@example.com', true, true]);
    expect(subject).toMatch(/^[A-Z][a-z ]+$/);
  }
});
