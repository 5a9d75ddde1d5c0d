import { textIn, Unfit, wholeNumberIn, type Members } from '../domain/unknown.ts';
import { isSessionId, isUserId, type SessionId, type UserId } from '../domain/ids.ts';
import { SCHEMA_VERSION } from './schema.ts';

/** An item was written by a version of ours that this one does not know. @throws {Unfit} */
export function checkVersion(item: Members): Members {
  if (wholeNumberIn(item, 'schema') !== SCHEMA_VERSION) throw new Unfit('schema is of another version');
  return item;
}

/** @throws {Unfit} */
export function storedUserId(item: Members, name: string): UserId {
  const text = textIn(item, name);
  if (!isUserId(text)) throw new Unfit(`${name} is no user id`);
  return text;
}

/** @throws {Unfit} */
export function storedSessionId(item: Members, name: string): SessionId {
  const text = textIn(item, name);
  if (!isSessionId(text)) throw new Unfit(`${name} is no session id`);
  return text;
}
