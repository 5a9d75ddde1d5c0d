import { read } from 'read';
import { Complaint } from '../local/complaint.ts';

/** Enough for the longest password in any script, and for saying that it is too long. */
const MAX_BYTES = 4_096;

/**
 * The password an account is to get: typed twice at the terminal without echo, or one line of standard input. Never
 * an argument, which other people on the machine could read.
 *
 * @throws {Complaint} where there is none, or Ctrl-C or Ctrl-D was pressed
 */
export async function passwordGiven(): Promise<string> {
  if (!process.stdin.isTTY) return passwordPiped();
  const password = await typed('Password:');
  if (password === '') throw new Complaint('No password was typed. Nothing was done.');
  if (password !== (await typed('The same once more:'))) {
    throw new Complaint('These were two different passwords. Nothing was done.');
  }
  return password;
}

/** Prompts on standard error, so that standard output holds the result alone. */
async function typed(prompt: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const giveUp = () => reject(new Complaint('Cancelled. Nothing was done.'));
  // At Ctrl-D the reader closes without a word, and nothing is left to wait for.
  process.once('beforeExit', giveUp);
  // At Ctrl-C it fails.
  read({ prompt, silent: true, terminal: true, output: process.stderr }).then(resolve, giveUp);
  try {
    return await promise;
  } finally {
    process.removeListener('beforeExit', giveUp);
  }
}

async function passwordPiped(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    const piece = Buffer.from(chunk as Uint8Array);
    chunks.push(piece);
    bytes += piece.length;
    if (bytes > MAX_BYTES) throw new Complaint('Standard input is too long for a password.');
  }
  const line = decoded(Buffer.concat(chunks)).replace(/\r?\n$/, '');
  if (line === '') throw new Complaint('Standard input holds no password.');
  if (/[\r\n]/.test(line)) throw new Complaint('Standard input must hold the password alone, in one line.');
  return line;
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Complaint('Standard input is not UTF-8.');
  }
}
