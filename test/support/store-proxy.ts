/** A stand between the functions and the store: it writes every call down, counts round trips, and makes trouble. */
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMembers, type Members } from '../../functions/shared/domain/unknown.ts';
import { SESSIONS_KEY, USERS_KEY } from '../../functions/shared/store/schema.ts';
import { freePort } from '../../infra/local/free-port.ts';

/**
 * What goes wrong with one call. Before it is done: `refuse` ends the connection, `throttle` and `fail` answer as
 * DynamoDB does when it is busy or broken, `forbid` as it does to somebody without the right, `never` is silence,
 * `delayed` by so many milliseconds. `cut` does it and then ends the connection in place of the answer; `cut-success`
 * only where the answer is that it was done.
 */
export type Fault =
  'refuse' | 'throttle' | 'fail' | 'forbid' | 'never' | 'cut' | 'cut-success' | { readonly delayed: number };

/** One call of the store. */
export interface StoreCall {
  /** `GetItem`, `UpdateItem`, … */
  readonly operation: string;
  /** Empty for a transaction, which has several. */
  readonly table: string;
  /** The key's values, joined by a space. */
  readonly key: string;
  /** Whether a read asked for what is there now. */
  readonly consistent: boolean;
  /** Of the endpoint that it was sent to: whose call it is, where clients were given different ones. */
  readonly path: string;
  /** Calls of one round trip have the same number; only while answers are held. */
  readonly roundTrip: number;
  /** What the engine says it cost, in capacity units; it does not say so of a write whose condition was false. */
  capacity?: number;
  /** Of the answer, also of one that was cut; absent where there was none. */
  status?: number;
}

export interface StoreProxy {
  readonly endpoint: string;
  readonly calls: readonly StoreCall[];
  /** Forgets the calls. */
  clear(): void;
  /** Asked for each call, from now on. */
  disturb(fault: (call: StoreCall) => Fault | undefined): void;
  /** Runs what calls the store. @returns the calls it made; those of one round trip were under way together */
  roundTrips(act: () => Promise<unknown>): Promise<readonly (readonly StoreCall[])[]>;
  /** Takes no connections any more, as a machine does on which nothing listens. */
  goDown(): Promise<void>;
  comeUp(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * While round trips are counted, an answer goes out once no new call has come for this long. So whatever could be asked
 * without that answer has been asked, and a call that comes later needed it.
 */
const QUIET_MS = 200;
/** A timer that comes so late ends no quiet: a process that stood still runs its timers before it reads what came meanwhile. */
const LATE_MS = 20;

/** A connection is given up before the engine does, which may happen just when a call is sent. */
const IDLE_MS = 20_000;

/** @param upstream the engine's endpoint */
export async function startStoreProxy(upstream: string): Promise<StoreProxy> {
  const agent = new Agent({ keepAlive: true, timeout: IDLE_MS });
  const calls: StoreCall[] = [];
  let faultOf: (call: StoreCall) => Fault | undefined = () => undefined;
  const gate = new Gate();

  const server = createServer((incoming, response) => {
    void serve(incoming, response).catch(() => response.destroy());
  });

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const input: unknown = JSON.parse((await bytesOf(incoming)).toString('utf8'));
    if (!isMembers(input)) throw new Error('a call of the store is a JSON object');
    const call = callOf(incoming, input, gate.roundTrip);
    calls.push(call);
    const fault = faultOf(call);
    if (fault === 'never') return;
    if (fault === 'refuse') {
      response.destroy();
      return;
    }
    if (fault === 'throttle' || fault === 'fail' || fault === 'forbid') {
      answerWith(response, call, ERRORS[fault].status, Buffer.from(JSON.stringify(ERRORS[fault].body)));
      return;
    }
    const isHeld = fault === undefined && gate.isClosed;
    if (isHeld) gate.enter();
    if (typeof fault === 'object') await sleep(fault.delayed);
    const answer = await forwarded(upstream, agent, incoming, { ...input, ReturnConsumedCapacity: 'TOTAL' });
    const capacity = capacityIn(answer.body);
    if (capacity !== undefined) call.capacity = capacity;
    if (fault === 'cut' || (fault === 'cut-success' && answer.status === 200)) {
      call.status = answer.status;
      response.destroy();
      return;
    }
    if (isHeld) await gate.opened();
    answerWith(response, call, answer.status, answer.body);
  }

  // Node's five seconds may end a connection that a caller is just about to use.
  server.keepAliveTimeout = 60_000;
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const port = await freePort();
  await listen(port);

  return {
    endpoint: `http://127.0.0.1:${port}`,
    calls,
    clear: () => void calls.splice(0),
    disturb: (fault) => void (faultOf = fault),
    async roundTrips(act) {
      const from = calls.length;
      gate.close();
      try {
        await act();
      } finally {
        gate.open();
      }
      const made = calls.slice(from);
      return Array.from({ length: gate.roundTrip }, (_, at) => made.filter((call) => call.roundTrip === at)).filter(
        (trip) => trip.length > 0,
      );
    },
    goDown: close,
    comeUp: () => listen(port),
    async stop() {
      gate.open();
      await close();
      agent.destroy();
    },
  };
}

/** Holds answers back until it has been quiet, while it is closed. */
class Gate {
  isClosed = false;
  roundTrip = 0;
  #unanswered = 0;
  #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  close(): void {
    this.isClosed = true;
    this.roundTrip = 0;
  }

  open(): void {
    this.isClosed = false;
    this.#release();
  }

  /** A call came in whose answer will wait. */
  enter(): void {
    this.#unanswered += 1;
    this.#untilQuiet();
  }

  /** Its answer is there. @returns when it may go out */
  opened(): Promise<void> {
    this.#unanswered -= 1;
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  #untilQuiet(): void {
    clearTimeout(this.#timer);
    const due = performance.now() + QUIET_MS;
    this.#timer = setTimeout(() => {
      if (this.#unanswered > 0 || performance.now() - due > LATE_MS) this.#untilQuiet();
      else this.#release();
    }, QUIET_MS);
  }

  #release(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.length > 0) this.roundTrip += 1;
    for (const go of this.#waiting.splice(0)) go();
  }
}

const ERRORS = {
  throttle: {
    status: 400,
    body: {
      __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
      message: 'The level of configured provisioned throughput for the table was exceeded.',
    },
  },
  fail: {
    status: 500,
    body: { __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError', message: 'Internal server error' },
  },
  forbid: {
    status: 400,
    body: { __type: 'com.amazon.coral.service#AccessDeniedException', message: 'User is not authorized.' },
  },
};

function callOf({ headers, url = '/' }: IncomingMessage, input: Members, roundTrip: number): StoreCall {
  const named = [input['Key'], input['Item']].find(isMembers) ?? {};
  const names = USERS_KEY.partition in named ? [USERS_KEY.partition] : [SESSIONS_KEY.partition, SESSIONS_KEY.sort];
  return {
    operation: String(headers['x-amz-target']).split('.')[1] ?? '',
    table: typeof input['TableName'] === 'string' ? input['TableName'] : '',
    key: names.map((name) => (isMembers(named[name]) ? String(named[name]['S']) : '')).join(' '),
    consistent: input['ConsistentRead'] === true,
    path: url,
    roundTrip,
  };
}

/** `ConsumedCapacity` is one object, or a list of them for a transaction. */
function capacityIn(body: Buffer): number | undefined {
  const answer: unknown = JSON.parse(body.toString('utf8'));
  const consumed = isMembers(answer) ? [answer['ConsumedCapacity']].flat().filter(isMembers) : [];
  if (consumed.length === 0) return undefined;
  return consumed.reduce((sum, { CapacityUnits }) => sum + Number(CapacityUnits), 0);
}

function forwarded(upstream: string, agent: Agent, incoming: IncomingMessage, input: Members) {
  const body = Buffer.from(JSON.stringify(input));
  // The signature no longer fits the body; a local engine checks none.
  const headers = { ...incoming.headers, host: new URL(upstream).host, 'content-length': String(body.length) };
  return new Promise<{ status: number; body: Buffer }>((resolve, reject) => {
    const outgoing = request(upstream, { agent, method: 'POST', headers }, (answer) => {
      bytesOf(answer).then((bytes) => resolve({ status: answer.statusCode ?? 500, body: bytes }), reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function answerWith(response: ServerResponse, call: StoreCall, status: number, body: Buffer): void {
  call.status = status;
  response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.0', 'Content-Length': body.length }).end(body);
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
