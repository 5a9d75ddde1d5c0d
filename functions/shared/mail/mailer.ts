import { SendEmailCommand, SESv2Client, type SESv2ClientConfig } from '@aws-sdk/client-sesv2';
import { emailFaults } from '../domain/profile-fields.ts';

/** A mail of ours: plain text to one reader. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Sends a mail. @throws {Error} where the mail service did not take it */
export type SendMail = (mail: Mail) => Promise<void>;

const ATTEMPTS = 2;

/**
 * Mails through Amazon SES, of the function's own region.
 *
 * @param from the address they come from; `none` where mails are not set up
 * @param connection where the mail service listens, where it is another than AWS's, and how long it may take
 * @returns undefined where mails are not set up
 */
export function mailerFrom(
  from: string,
  connection: Pick<SESv2ClientConfig, 'endpoint' | 'requestHandler'>,
): SendMail | undefined {
  if (from === 'none') return undefined;
  const client = new SESv2Client({ ...connection, maxAttempts: ATTEMPTS });
  return async ({ to, subject, text }) => {
    // Looked at where it goes out, whatever was checked before: no line break, comma or second address leaves here.
    if (emailFaults(to).length > 0) throw new Error('no address to send to');
    await client.send(
      new SendEmailCommand({
        FromEmailAddress: from,
        Destination: { ToAddresses: [to] },
        Content: {
          Simple: {
            Subject: { Data: subject, Charset: 'UTF-8' },
            Body: { Text: { Data: text, Charset: 'UTF-8' } },
          },
        },
      }),
    );
  };
}
