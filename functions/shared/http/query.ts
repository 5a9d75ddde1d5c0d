import type { APIGatewayProxyEvent } from 'aws-lambda';
import { isSessionId, type SessionId } from '../domain/ids.ts';
import { Refusal } from '../domain/refusal.ts';

/** How many items a page has unless the caller asks for fewer, and at the most. */
const PAGE_LIMIT = 50;

/**
 * The part of a list that a request asks for: `?limit=20&cursor=…`.
 *
 * @throws {Refusal} `invalid-fields`
 */
export function pageIn(event: APIGatewayProxyEvent): { readonly limit: number; readonly before?: SessionId } {
  const limit = parameterIn(event, 'limit');
  const cursor = parameterIn(event, 'cursor');
  if (limit !== undefined && !(/^\d{1,3}$/.test(limit) && Number(limit) >= 1 && Number(limit) <= PAGE_LIMIT)) {
    throw new Refusal('invalid-fields', { fields: { limit: [`Ensure this is a number from 1 to ${PAGE_LIMIT}.`] } });
  }
  if (cursor !== undefined && !isSessionId(cursor)) {
    throw new Refusal('invalid-fields', { fields: { cursor: ['Invalid cursor.'] } });
  }
  return {
    limit: limit === undefined ? PAGE_LIMIT : Number(limit),
    ...(cursor !== undefined && { before: cursor }),
  };
}

/**
 * A query parameter that takes one of a few words.
 *
 * @returns undefined where it is not there
 * @throws {Refusal} `invalid-fields` for any other word, which must not be taken for its absence
 */
export function choiceIn<Choice extends string>(
  event: APIGatewayProxyEvent,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = parameterIn(event, name);
  if (text === undefined) return undefined;
  const choice = choices.find((one) => one === text);
  if (choice === undefined) throw new Refusal('invalid-fields', { fields: { [name]: ['Not a valid choice.'] } });
  return choice;
}

const parameterIn = (event: APIGatewayProxyEvent, name: string): string | undefined =>
  event.queryStringParameters?.[name];
