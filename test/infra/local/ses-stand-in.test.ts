import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ListEmailIdentitiesCommand, SendEmailCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalMail, type SesStandIn, startSesStandIn } from '../../../infra/local/ses-stand-in.ts';

let folder: string;
let file: string;
let seen: LocalMail[];
let standIn: SesStandIn;
let client: SESv2Client;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-mails-'));
  file = join(folder, 'mails.jsonl');
  seen = [];
  standIn = await startSesStandIn({ file, onMail: (mail) => void seen.push(mail) });
  const credentials = { accessKeyId: 'x', secretAccessKey: 'x' };
  client = new SESv2Client({ endpoint: standIn.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
});
afterEach(async () => {
  client.destroy();
  await standIn.close();
  rmSync(folder, { recursive: true });
});

const sending = (text: string | undefined) =>
  client.send(
    new SendEmailCommand({
      FromEmailAddress: 'auth@example.com',
      Destination: { ToAddresses: ['ada@example.com'] },
      Content: { Simple: { Subject: { Data: 'Hello' }, Body: { Text: { Data: text } } } },
    }),
  );

test('a mail that the SDK sends is one line of the file, for its owner only', async () => {
  expect((await sending('one\nline')).MessageId).toMatch(/^[\w-]+$/);
  await sending('two');
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const mail = { at: expect.any(String), from: 'auth@example.com', to: ['ada@example.com'], subject: 'Hello' };
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { ...mail, text: 'one\nline' },
    { ...mail, text: 'two' },
  ]);
  expect(standIn.mails).toEqual(seen);
  expect(seen).toHaveLength(2);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('another operation and half a mail are refused, and nothing is written', async () => {
  const refused = { name: 'BadRequestException' };
  await expect(client.send(new ListEmailIdentitiesCommand())).rejects.toMatchObject(refused);
  await expect(sending(undefined)).rejects.toMatchObject(refused);
  expect(standIn.mails).toEqual([]);
});
