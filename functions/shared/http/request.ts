import type { APIGatewayProxyEvent } from 'aws-lambda';
import { isSessionId, isUserId } from '../domain/ids.ts';
import { Refusal } from '../domain/refusal.ts';
import type { ClientPrint, Device } from '../domain/session.ts';
import type { ClientPrintMode } from '../domain/settings.ts';
import type { Caller } from '../domain/standing.ts';
import type { UnixSeconds } from '../domain/time.ts';
import { clientPrint } from '../runtime/ids.ts';

/** Longer user agents are cut; they are shown to their user and hashed, nothing more. */
const USER_AGENT_CHARACTERS = 512;

/**
 * A header of a request, whatever the case of its name: API Gateway, SAM and HTTP/2 each write it differently.
 *
 * @param name in lower case
 */
export function headerIn(event: APIGatewayProxyEvent, name: string): string | undefined {
  // API Gateway gives null where a request has no headers at all, which the type does not say.
  const headers = event.headers as APIGatewayProxyEvent['headers'] | null;
  const found = Object.entries(headers ?? {}).find(([key]) => key.toLowerCase() === name);
  return found?.[1] ?? undefined;
}

/**
 * Every value of a header, in the order in which they came, whatever the case of its name. {@link headerIn} has the last
 * one alone.
 *
 * @param name in lower case
 */
export function valuesOfHeader(event: APIGatewayProxyEvent, name: string): readonly string[] {
  const headers = event.multiValueHeaders as APIGatewayProxyEvent['multiValueHeaders'] | null;
  return Object.entries(headers ?? {}).flatMap(([key, values]) => (key.toLowerCase() === name ? (values ?? []) : []));
}

/**
 * A header that decides on trust: where it came twice, both values as one list (RFC 9110 section 5.3), which then is none
 * of the words that let anybody in.
 *
 * @param name in lower case
 */
export function wholeHeaderIn(event: APIGatewayProxyEvent, name: string): string | undefined {
  const values = valuesOfHeader(event, name);
  return values.length === 0 ? undefined : values.join(', ');
}

/**
 * The device a request comes from. The address is the one API Gateway saw, never one from a header, which a client sets.
 */
export function deviceIn(event: APIGatewayProxyEvent): Device {
  const userAgent = headerIn(event, 'user-agent') ?? '';
  return {
    address: event.requestContext.identity.sourceIp,
    // Cut before it is made well-formed, because the cut can go through a pair of surrogates.
    userAgent: userAgent.slice(0, USER_AGENT_CHARACTERS).toWellFormed(),
  };
}

/** Who a request comes from, hashed as the setting says. */
export const clientIn = (event: APIGatewayProxyEvent, mode: ClientPrintMode): ClientPrint => {
  const { address, userAgent } = deviceIn(event);
  return clientPrint(mode, address, userAgent);
};

/**
 * The caller of a protected route, from the authorizer's context. `exp` is compared again, because the gateway keeps an
 * authorizer's answer for up to a minute.
 *
 * @throws {Refusal} `bearer-refused` from the second of `exp` on
 */
export function callerIn(event: APIGatewayProxyEvent, now: UnixSeconds): Caller {
  const context: unknown = event.requestContext.authorizer;
  const { sub, sid, exp } = Object.fromEntries(Object.entries(context ?? {})) as Record<string, unknown>;
  if (typeof sub !== 'string' || typeof sid !== 'string' || !isUserId(sub) || !isSessionId(sid)) {
    throw new Refusal('bearer-refused');
  }
  if (!(now < Number(exp))) throw new Refusal('bearer-refused');
  return { userId: sub, sessionId: sid };
}
