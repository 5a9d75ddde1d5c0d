/** Plays API Gateway's Lambda authorizers of type TOKEN: validation, result cache, policy evaluation. */
import { policyAllows } from './policy.ts';
import type { Assembly } from './assembly.ts';
import { Complaint } from './complaint.ts';
import { type Fields, isFields, jsonOf, numberOf, textOf } from './fields.ts';
import { physicalId } from './intrinsics.ts';
import type { LambdaFunction } from './lambda.ts';
import type { GatewayRequest } from './proxy-event.ts';
import { invokedBy } from './routes.ts';
import { within } from './within.ts';

/** API Gateway's own, where the template does not say. */
const DEFAULT_CACHE_SECONDS = 300;
/** API Gateway does not wait longer for an authorizer than for an integration. */
const TIMEOUT_MILLISECONDS = 29_000;
/** CloudFormation takes no more. */
const MOST_CACHE_SECONDS = 3_600;
const MOST_CACHED = 10_000;

/** What a handler finds in `requestContext.authorizer`. */
export type AuthorizerContext = Readonly<Record<string, string | number>>;

export type Verdict =
  | { readonly kind: 'allowed'; readonly context: AuthorizerContext }
  | {
      readonly kind: 'refused';
      readonly type: 'UNAUTHORIZED' | 'ACCESS_DENIED' | 'AUTHORIZER_FAILURE' | 'AUTHORIZER_CONFIGURATION_ERROR';
    };

/** @param methodArn `arn:aws:execute-api:<region>:<account>:<api>/<stage>/<METHOD>/<path>` */
export type Authorizer = (request: GatewayRequest, methodArn: string) => Promise<Verdict>;

const refused = (type: (Verdict & { kind: 'refused' })['type']): Verdict => ({ kind: 'refused', type });

interface Result {
  readonly policy: Fields;
  readonly context: AuthorizerContext;
}

/**
 * @returns the template's authorizers by id
 * @throws {Complaint} for an authorizer of another type, or an identity source that is no header
 */
export function authorizersFrom(
  assembly: Assembly,
  functions: ReadonlyMap<string, LambdaFunction>,
): ReadonlyMap<string, Authorizer> {
  const authorizers = new Map<string, Authorizer>();
  for (const resource of assembly.ofType('AWS::ApiGateway::Authorizer')) {
    const { id, properties } = resource;
    const type = textOf(properties['Type'], `${id}.Type`);
    if (type !== 'TOKEN') throw new Complaint(`The local gateway does not know authorizers of type ${type} (${id}).`);
    const source = textOf(properties['IdentitySource'], `${id}.IdentitySource`);
    const header = /^method\.request\.header\.([\w-]+)$/.exec(source)?.[1];
    if (header === undefined) throw new Complaint(`The local gateway does not know the identity source ${source}.`);
    const fn = functions.get(invokedBy(textOf(properties['AuthorizerUri'], `${id}.AuthorizerUri`)) ?? '');
    if (fn === undefined) throw new Complaint(`The authorizer ${id} names a function that is not in the template.`);
    const cacheSeconds = numberOf(properties['AuthorizerResultTtlInSeconds'] ?? DEFAULT_CACHE_SECONDS, id);
    if (!(cacheSeconds >= 0 && cacheSeconds <= MOST_CACHE_SECONDS))
      throw new Complaint(
        `An authorizer's result is kept for 0 to ${MOST_CACHE_SECONDS} s, not ${cacheSeconds} (${id}).`,
      );
    const expression = properties['IdentityValidationExpression'];
    authorizers.set(
      physicalId(resource, assembly.template),
      tokenAuthorizer(fn, header, {
        // Java's `matches`: the whole value.
        accepts: expression === undefined ? /^/ : new RegExp(`^(?:${textOf(expression, id)})$`, 'su'),
        cacheSeconds,
      }),
    );
  }
  return authorizers;
}

function tokenAuthorizer(
  fn: LambdaFunction,
  header: string,
  { accepts, cacheSeconds }: { accepts: RegExp; cacheSeconds: number },
): Authorizer {
  const cache = new Map<string, { readonly result: Result; readonly until: number }>();

  return async (request, methodArn) => {
    const token = request.header(header);
    if (token === undefined || token === '' || !accepts.test(token)) return refused('UNAUTHORIZED');
    const kept = cache.get(token);
    if (kept !== undefined && performance.now() < kept.until) return judged(kept.result, methodArn);

    const startedAt = performance.now();
    const outcome = await within(
      TIMEOUT_MILLISECONDS,
      fn.invoke({ type: 'TOKEN', authorizationToken: token, methodArn }),
    );
    if (outcome?.kind !== 'answer') {
      // An authorizer that fails with exactly this message says 401; any other failure is an outage.
      const unauthorized = outcome?.kind === 'error' && outcome.error.errorMessage === 'Unauthorized';
      return refused(unauthorized ? 'UNAUTHORIZED' : 'AUTHORIZER_FAILURE');
    }
    const result = resultFrom(jsonOf(outcome.json, 'The authorizer’s answer'), performance.now() - startedAt);
    if (result === undefined) return refused('AUTHORIZER_CONFIGURATION_ERROR');
    if (cache.size >= MOST_CACHED) cache.clear();
    if (cacheSeconds > 0) cache.set(token, { result, until: performance.now() + cacheSeconds * 1000 });
    return judged(result, methodArn);
  };
}

function judged({ policy, context }: Result, methodArn: string): Verdict {
  switch (policyAllows(policy, methodArn)) {
    case true:
      return { kind: 'allowed', context };
    case false:
      return refused('ACCESS_DENIED');
    case undefined:
      return refused('AUTHORIZER_CONFIGURATION_ERROR');
  }
}

/** Undefined when the answer is none that API Gateway takes: the context holds texts, numbers and booleans only. */
function resultFrom(answer: unknown, milliseconds: number): Result | undefined {
  if (!isFields(answer)) return undefined;
  const { principalId, policyDocument: policy, context = {} } = answer;
  if (typeof principalId !== 'string' || !isFields(policy) || !isFields(context)) return undefined;
  const texts: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(context)) {
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
    texts[name] = String(value);
  }
  return { policy, context: { ...texts, principalId, integrationLatency: Math.round(milliseconds) } };
}
