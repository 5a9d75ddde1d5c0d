/**
 * The inside of one function instance: what Lambda's Node runtime does around a handler. Runs as a worker
 * thread whose `process.env` is the function's own and whose module folder stands alone.
 */
import { format } from 'node:util';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { fieldsOf, isFields, textOf } from './fields.ts';
import type { Invocation, Report } from './lambda.ts';

type Handler = (event: unknown, context: object) => unknown;

const port = parentPort;
if (port === null) throw new Error('instance.ts runs as a worker thread only.');
const report = (message: Report): void => port.postMessage(message);

const isCallback = (value: unknown): value is () => void => typeof value === 'function';
const isHandler = (value: unknown): value is Handler => typeof value === 'function';

// Through the same port as the answers, so that the lines of a request always come before its answer.
for (const stream of [process.stdout, process.stderr]) {
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    report({ kind: 'output', text: typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString() });
    const done = rest.at(-1);
    if (isCallback(done)) queueMicrotask(done);
    return true;
  };
}

const described = (error: unknown) =>
  error instanceof Error
    ? { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] }
    : { errorType: typeof error, errorMessage: format(error), trace: [] };

async function load(): Promise<Handler> {
  const { file, handlerName } = fieldsOf(workerData, 'workerData');
  const name = textOf(handlerName, 'handlerName');
  const module: unknown = await import(pathToFileURL(textOf(file, 'file')).href);
  // A CommonJS bundle whose exports Node cannot foresee has them all in `default`.
  const [own, inDefault] = [fieldsOf(module, 'module'), fieldsOf(module, 'module')['default']];
  const handler = own[name] ?? (isFields(inDefault) ? inDefault[name] : undefined);
  if (!isHandler(handler)) throw new Error(`${name} is undefined or not exported`);
  // From Node 24 on, Lambda's runtime refuses a handler that asks for a callback.
  if (handler.length > 2) throw new Error(`${name} takes a callback, which Lambda no longer gives`);
  return handler;
}

async function answer(handler: Handler, invocation: Invocation): Promise<Report> {
  const { requestId, deadline, functionArn, traceId } = invocation;
  process.env['_X_AMZN_TRACE_ID'] = traceId;
  const context = {
    awsRequestId: requestId,
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: process.env['AWS_LAMBDA_FUNCTION_VERSION'],
    invokedFunctionArn: functionArn,
    logGroupName: process.env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: process.env['AWS_LAMBDA_LOG_STREAM_NAME'],
    memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  try {
    const event: unknown = JSON.parse(invocation.event);
    const result: unknown = await handler(event, context);
    return { kind: 'answer', json: result === undefined ? 'null' : JSON.stringify(result) };
  } catch (error) {
    return { kind: 'error', ...described(error) };
  }
}

try {
  const handler = await load();
  report({ kind: 'ready' });
  // One at a time: the pool sends the next invocation only after this one's answer.
  port.on('message', (invocation: Invocation) => void answer(handler, invocation).then(report));
} catch (error) {
  report({ kind: 'no-init', ...described(error) });
}
