import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { SECURITY_EVENTS, type Note, type SecurityEvent } from '../domain/events.ts';
import { Outage, Refusal } from '../domain/refusal.ts';
import { log, logCounted, nameOf } from '../runtime/log.ts';
import { answers, type Answer } from './answers.ts';
import { pagesOfSettings } from './cors.ts';
import { problem, reply } from './reply.ts';

/** How long a caller should wait before trying again while something of ours is out of reach. */
const RETRY_AFTER_SECONDS = '5';

/** Events that an operator should look at. */
const ALARMING: ReadonlySet<SecurityEvent> = new Set(['theft', 'adopt', 'lock']);

/** The challenge of every 401, and of a 403 for too few rights (RFC 6750 section 3). */
const challenge = (error?: string): string => `Bearer realm="api"${error === undefined ? '' : `, error="${error}"`}`;

type Operate = (event: APIGatewayProxyEvent, note: Note) => Promise<APIGatewayProxyResult> | APIGatewayProxyResult;

/**
 * A Lambda handler around an operation, which can note security events of the request: its answer, or the one that belongs to
 * what it refused with. An {@link Outage} is a 503 without internals, anything else that is thrown a defect of ours and an
 * opaque 500.
 *
 * @param readers which pages may read what it answers, whatever that is
 */
export const endpoint =
  (operate: Operate, readers = pagesOfSettings) =>
  async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
    const answer = await answerTo(event, operate);
    return { ...answer, headers: { ...answer.headers, ...readers(event) } };
  };

async function answerTo(event: APIGatewayProxyEvent, operate: Operate): Promise<APIGatewayProxyResult> {
  const { requestId, identity } = event.requestContext;
  const about = { requestId, route: event.resource, address: identity.sourceIp };
  const reasons: (string | undefined)[] = [];
  const note: Note = (name, details) => {
    reasons.push(details.reason);
    logCounted(ALARMING.has(name) ? 'WARN' : 'INFO', name, SECURITY_EVENTS[name], { ...about, ...details });
  };
  try {
    return await operate(event, note);
  } catch (error) {
    if (error instanceof Refusal) {
      // An event that names the reason has said it already.
      if (!reasons.includes(error.reason)) log('INFO', 'refused', { ...about, reason: error.reason });
      return refused(error);
    }
    if (error instanceof Outage) {
      log('ERROR', 'outage', { ...about, what: error.message, error: nameOf(error) });
      const again = { 'Retry-After': RETRY_AFTER_SECONDS };
      return problem(503, 'The service is not available at the moment. Please try again.', {}, again);
    }
    log('ERROR', 'defect', { ...about, error: nameOf(error), at: placeOf(error) });
    return problem(500, 'Something went wrong on our side.');
  }
}

function refused({ reason, fields, shown, retryAfter }: Refusal): APIGatewayProxyResult {
  const { status, detail, code, challenge: error }: Answer = answers[reason];
  const members = { ...(code !== undefined && { code }), ...fields };
  const headers = {
    ...((status === 401 || error !== undefined) && { 'WWW-Authenticate': challenge(error) }),
    ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
  };
  return problem(
    status,
    detail.replace('{shown}', () => shown),
    members,
    headers,
  );
}

/** Where in our code a defect was noticed: the frames of the stack, without the message, which can quote input. */
const placeOf = (error: unknown): string =>
  error instanceof Error
    ? (error.stack ?? '')
        // A message can have lines that look like frames.
        .replace(error.message, '')
        .split('\n')
        .filter((line) => /^\s+at /.test(line))
        .slice(0, 5)
        .join(' ')
    : '';

/** The answer to a request for a page that is not changed since the caller read it. */
export const notModified = (headers: Readonly<Record<string, string>>): APIGatewayProxyResult =>
  reply(304, '', headers);
