/** Evaluates the IAM policy that a Lambda authorizer answers with, for one method of the API. */
import { type Fields, isFields } from './fields.ts';

const PLAYED = new Set(['Sid', 'Effect', 'Action', 'Resource']);

/**
 * An explicit deny wins, then an allow; without either the answer is no.
 *
 * @returns undefined when the policy is malformed, or has elements that authorizers' policies hardly use and that
 *   are not played here: `Condition`, `NotAction`, `NotResource`, `Principal`, variables
 */
export function policyAllows(policy: Fields, methodArn: string): boolean | undefined {
  const statements = oneOrMore(policy['Statement']);
  let allowed = false;
  let denied = false;
  for (const statement of statements) {
    if (!isFields(statement)) return undefined;
    const { Effect, Action, Resource } = statement;
    if (Object.keys(statement).some((element) => !PLAYED.has(element)) || (Effect !== 'Allow' && Effect !== 'Deny'))
      return undefined;
    if (Action === undefined || Resource === undefined) return undefined;
    // Policy variables, such as ${aws:PrincipalTag/team}.
    if ([Action, Resource].flatMap(oneOrMore).some((text) => String(text).includes('${'))) return undefined;
    const applies =
      oneOrMore(Action).some((pattern) => isLike(pattern, 'execute-api:Invoke', 'in any case')) &&
      oneOrMore(Resource).some((pattern) => isLike(pattern, methodArn));
    if (applies && Effect === 'Deny') denied = true;
    if (applies && Effect === 'Allow') allowed = true;
  }
  return statements.length === 0 ? undefined : allowed && !denied;
}

const oneOrMore = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value];

/** IAM's wildcards: `*` for any text, slashes and nothing included, `?` for one character. */
export function isLike(pattern: unknown, text: string, letters?: 'in any case'): boolean {
  if (typeof pattern !== 'string') return false;
  const expression = pattern.replace(/[\\^$.|+()[\]{}*?]/g, (sign) =>
    sign === '*' ? '.*' : sign === '?' ? '.' : `\\${sign}`,
  );
  return new RegExp(`^${expression}$`, letters === undefined ? 's' : 'si').test(text);
}
