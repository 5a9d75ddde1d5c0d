/** Stands in for Amazon SES (`SendEmail` of the v2 API) on a loopback port: mails go into a file, and nowhere else. */
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { type IncomingMessage, createServer } from 'node:http';
import { fieldsOf, jsonOf, listOf, textOf } from './fields.ts';
import { listen } from './listen.ts';

/** A mail as a reader would get it. */
export interface LocalMail {
  readonly at: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
}

export interface SesStandIn {
  readonly endpoint: string;
  /** The mails since the start, oldest first. */
  readonly mails: readonly LocalMail[];
  close(): Promise<void>;
}

export interface SesStandInOptions {
  /** One mail a line of JSON is added here; without it, mails are kept in memory alone. */
  readonly file?: string | undefined;
  readonly onMail?: ((mail: LocalMail) => void) | undefined;
}

export async function startSesStandIn({ file, onMail }: SesStandInOptions = {}): Promise<SesStandIn> {
  const mails: LocalMail[] = [];
  const server = createServer((request, response) => {
    void mailIn(request).then(
      (mail) => {
        mails.push(mail);
        // Tokens are in it.
        if (file !== undefined) appendFileSync(file, `${JSON.stringify(mail)}\n`, { mode: 0o600 });
        onMail?.(mail);
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.end(JSON.stringify({ MessageId: randomUUID() }));
      },
      (error: unknown) => {
        response.writeHead(400, { 'Content-Type': 'application/json', 'x-amzn-ErrorType': 'BadRequestException' });
        response.end(JSON.stringify({ message: error instanceof Error ? error.message : '' }));
      },
    );
  });
  const { endpoint, close } = await listen(server, { host: '127.0.0.1', port: 0 });
  return { endpoint, mails, close };
}

/** @throws {Error} for any other operation, and for a mail that is not plain text */
async function mailIn(request: IncomingMessage): Promise<LocalMail> {
  const operation = `${request.method ?? ''} ${request.url ?? ''}`;
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  if (operation !== 'POST /v2/email/outbound-emails') {
    throw new Error(`The local stand-in does not know ${operation}.`);
  }
  const what = 'SendEmail';
  const { FromEmailAddress, Destination, Content } = fieldsOf(
    jsonOf(Buffer.concat(chunks).toString('utf8'), what),
    what,
  );
  const { Subject, Body } = fieldsOf(fieldsOf(Content, what)['Simple'], what);
  return {
    at: new Date().toISOString(),
    from: textOf(FromEmailAddress, what),
    to: listOf(fieldsOf(Destination, what)['ToAddresses'], what).map((one) => textOf(one, what)),
    subject: textOf(fieldsOf(Subject, what)['Data'], what),
    text: textOf(fieldsOf(fieldsOf(Body, what)['Text'], what)['Data'], what),
  };
}
