import { randomBytes } from 'node:crypto';
import { createUser, findUser } from '../cli/accounts.ts';
import type { StackAccess } from '../cli/stack-access.ts';
import { readOr } from './data-folder.ts';
import { fieldsOf, jsonOf, textOf } from './fields.ts';
import { writePrivately } from './private-file.ts';

export interface DemoUser {
  readonly username: string;
  readonly password: string;
}

/**
 * The account that a newcomer logs in with, made where it is missing.
 *
 * @param file keeps its pass-phrase, which is made once for each data folder
 */
export async function demoUser(stack: StackAccess, file: string): Promise<DemoUser> {
  const username = 'demo';
  const kept = readOr(file, '');
  const password = kept === '' ? passPhrase() : textOf(fieldsOf(jsonOf(kept, file), file)['password'], file);
  if (kept === '') writePrivately(file, `${JSON.stringify({ username, password })}\n`);
  if ((await findUser(stack, username)) === undefined) await createUser(stack, { username, password });
  return { username, password };
}

/** 100 random bits in groups that can be read out. */
const passPhrase = (): string => (randomBytes(13).toString('hex').slice(0, 25).match(/.{5}/g) ?? []).join('-');
