/**
 * Plays Lambda: functions read from the template, each with its own instances. An instance is a worker thread
 * that carries only its function's environment and serves one request at a time.
 */
import { randomUUID } from 'node:crypto';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Assembly, bundleFolder } from './assembly.ts';
import { Complaint } from './complaint.ts';
import { fieldsOf, numberOf, textOf, textsOf } from './fields.ts';
import { REGION, type Resource, arn, physicalId } from './intrinsics.ts';

/**
 * Most instances of one function at once; further requests wait their turn. On AWS they would be throttled, at
 * an account's 1,000 by default; a laptop is better served by a queue.
 */
export const MOST_INSTANCES = 32;
/** Lambda's limit on the event and on the answer of a synchronous invocation. */
export const PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024;
/** Lambda's are 10 s, after which it starts once more within the function's own time-out: a busy laptop may take as long. */
const INIT_LIMIT_SECONDS = 60;

/** The session token every function gets, and the Secrets extension asks for. */
export const SESSION_TOKEN = 'local-session-token';

export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

export interface Invocation {
  readonly event: string;
  readonly requestId: string;
  readonly functionArn: string;
  readonly traceId: string;
  /** Unix milliseconds at which Lambda ends the invocation. */
  readonly deadline: number;
}

export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'output'; readonly text: string }
  | { readonly kind: 'answer'; readonly json: string }
  | ({ readonly kind: 'error' | 'no-init' } & FunctionError);

interface Failure {
  readonly kind: 'error';
  readonly error: FunctionError;
}

export type Outcome = { readonly kind: 'answer'; readonly json: string } | Failure | { readonly kind: 'too-large' };

export interface LambdaFunction {
  readonly name: string;
  readonly arn: string;
  /** Never rejects: a function that throws, crashes or runs out of time is an `error`. */
  invoke(event: unknown): Promise<Outcome>;
  close(): Promise<void>;
}

export interface FunctionHooks {
  /** A line that a function wrote. */
  onOutput(functionName: string, line: string): void;
  /** What the platform has to say, such as a cold start. */
  onPlatform(line: string): void;
  /** Values that replace those of the template, where the function of this logical id declares the variable. */
  overridesOf(functionId: string): Readonly<Record<string, string>>;
}

interface Definition {
  readonly name: string;
  readonly arn: string;
  readonly file: string;
  readonly handlerName: string;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Unpacks a function's bundle into `taskRoot`, as Lambda does. The folder must be outside of the project: there,
 * a bundle that forgot a package or relied on our `package.json` fails here as it would on Lambda.
 */
export function functionFrom(
  resource: Resource,
  assembly: Assembly,
  taskRoot: string,
  hooks: FunctionHooks,
): LambdaFunction {
  return pool(definitionOf(resource, assembly, taskRoot, hooks.overridesOf(resource.id)), hooks);
}

function definitionOf(
  resource: Resource,
  assembly: Assembly,
  taskRoot: string,
  overrides: Readonly<Record<string, string>>,
): Definition {
  const { id, properties } = resource;
  const strange = ['FileSystemConfigs', 'ImageConfig', 'Layers'].find((name) => properties[name] !== undefined);
  if (strange !== undefined) throw new Complaint(`The local gateway does not know ${strange} of a function (${id}).`);
  const runtime = textOf(properties['Runtime'], `${id}.Runtime`);
  if (!runtime.startsWith('nodejs'))
    throw new Complaint(`The local gateway runs Node.js functions, not ${runtime} (${id}).`);
  const [moduleName = '', handlerName = ''] = textOf(properties['Handler'], `${id}.Handler`).split('.');
  const folder = join(taskRoot, id);
  cpSync(bundleFolder(resource, assembly), folder, { recursive: true });
  const file = ['.js', '.mjs', '.cjs'].map((end) => join(folder, moduleName + end)).find((path) => existsSync(path));
  if (file === undefined) throw new Complaint(`The bundle of ${id} has no ${moduleName}.js.`);
  const name = physicalId(resource, assembly.template);
  const declared = textsOf(fieldsOf(properties['Environment'] ?? {}, id)['Variables'], `${id}.Environment`);
  const memoryMegabytes = numberOf(properties['MemorySize'] ?? 128, `${id}.MemorySize`);
  const replaced = Object.entries(overrides).filter(([variable]) => Object.hasOwn(declared, variable));
  return {
    name,
    arn: arn('lambda', `function:${name}`),
    file,
    handlerName,
    timeoutSeconds: numberOf(properties['Timeout'] ?? 3, `${id}.Timeout`),
    memoryMegabytes,
    environment: {
      ...reserved(name, runtime, memoryMegabytes, folder, textOf(properties['Handler'], id)),
      ...declared,
      ...Object.fromEntries(replaced),
    },
  };
}

/** The environment variables that Lambda itself defines; the credentials open nothing. */
function reserved(name: string, runtime: string, memory: number, folder: string, handler: string) {
  return {
    AWS_ACCESS_KEY_ID: 'local',
    AWS_DEFAULT_REGION: REGION,
    AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memory),
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local/[$LATEST]',
    AWS_REGION: REGION,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: SESSION_TOKEN,
    LAMBDA_TASK_ROOT: folder,
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    _HANDLER: handler,
  };
}

interface Instance {
  serve(event: string): Promise<Outcome>;
  /** False once the instance has crashed or was ended. */
  alive(): boolean;
  end(): Promise<void>;
}

function pool(definition: Definition, hooks: FunctionHooks): LambdaFunction {
  const { name } = definition;
  const idle: Instance[] = [];
  const all = new Set<Instance>();
  const waiting: ((instance: Instance | undefined) => void)[] = [];
  let closed = false;

  const start = (): Instance => {
    const instance = startInstance(definition, hooks);
    all.add(instance);
    return instance;
  };
  const acquire = async (): Promise<Instance | undefined> => {
    if (closed) return undefined;
    // One that crashed after its last answer is no longer there.
    for (const dead of idle.filter((one) => !one.alive())) {
      idle.splice(idle.indexOf(dead), 1);
      all.delete(dead);
    }
    return idle.pop() ?? (all.size < MOST_INSTANCES ? start() : new Promise((next) => void waiting.push(next)));
  };
  const release = (instance: Instance): void => {
    if (!instance.alive()) all.delete(instance);
    const next = closed ? undefined : waiting.shift();
    if (next !== undefined) next(instance.alive() ? instance : start());
    else if (instance.alive()) idle.push(instance);
  };

  return {
    name,
    arn: definition.arn,
    async invoke(event) {
      const text = JSON.stringify(event);
      if (Buffer.byteLength(text) > PAYLOAD_LIMIT_BYTES) return { kind: 'too-large' };
      const instance = await acquire();
      if (instance === undefined) return stopped;
      const outcome = await instance.serve(text);
      release(instance);
      return outcome;
    },
    async close() {
      closed = true;
      for (const next of waiting.splice(0)) next(undefined);
      await Promise.all([...all].map((instance) => instance.end()));
    },
  };
}

const failure = (errorType: string, errorMessage: string): Failure => ({
  kind: 'error',
  error: { errorType, errorMessage },
});
const nobodyWaits = (): void => undefined;
const stopped = failure('Local.Stopped', 'The local gateway has stopped.');

function startInstance(definition: Definition, hooks: FunctionHooks): Instance {
  const { name, timeoutSeconds, memoryMegabytes } = definition;
  const startedAt = performance.now();
  const worker = new Worker(new URL('./instance.ts', import.meta.url), {
    env: { ...definition.environment },
    execArgv: ['--disable-warning=ExperimentalWarning'],
    workerData: { file: definition.file, handlerName: definition.handlerName },
    resourceLimits: { maxOldGenerationSizeMb: memoryMegabytes },
  });
  const lines = lineSplitter((line) => hooks.onOutput(name, line));
  let alive = true;
  let settle: (outcome: Outcome) => void = nobodyWaits;
  let ready: () => void = () => undefined;
  const initialized = new Promise<void>((done) => (ready = done));

  const end = async (): Promise<void> => {
    alive = false;
    lines.flush();
    await worker.terminate();
  };
  const die = (outcome: Failure): void => {
    if (alive && settle === nobodyWaits)
      hooks.onPlatform(`${name} failed between two requests: ${told(outcome.error)}`);
    alive = false;
    settle(outcome);
    void end();
  };

  worker.on('message', (report: Report) => {
    switch (report.kind) {
      case 'output':
        return lines.push(report.text);
      case 'ready':
        hooks.onPlatform(`cold start of ${name}: ${Math.round(performance.now() - startedAt)} ms`);
        return ready();
      case 'answer':
        return settle(
          Buffer.byteLength(report.json) > PAYLOAD_LIMIT_BYTES
            ? failure('Function.ResponseSizeTooLarge', 'Response payload size exceeded maximum allowed payload size.')
            : report,
        );
      case 'error':
        return settle({ kind: 'error', error: report });
      case 'no-init':
        return die({ kind: 'error', error: report });
    }
  });
  worker.on('error', (error: unknown) =>
    die(error instanceof Error ? failure(error.name, error.message) : failure('Runtime.ExitError', 'Runtime crashed')),
  );
  worker.on('exit', (code) => die(failure('Runtime.ExitError', `Runtime exited with status ${code}`)));

  return {
    alive: () => alive,
    end: async () => {
      settle(stopped);
      await end();
    },
    serve: (event) =>
      new Promise((done) => {
        const requestId = randomUUID();
        let timer: NodeJS.Timeout | undefined;
        const limit = (seconds: number): void => {
          clearTimeout(timer);
          const message = `${requestId} Task timed out after ${seconds.toFixed(2)} seconds`;
          timer = setTimeout(() => die(failure('Sandbox.Timedout', message)), seconds * 1000);
        };
        settle = (outcome) => {
          clearTimeout(timer);
          settle = nobodyWaits;
          lines.flush();
          if (outcome.kind === 'error') hooks.onPlatform(`${name} failed: ${told(outcome.error)}`);
          done(outcome);
        };
        if (!alive) return settle(failure('Runtime.ExitError', 'The instance had ended.'));
        limit(INIT_LIMIT_SECONDS);
        void initialized.then(() => {
          limit(timeoutSeconds);
          const deadline = Date.now() + timeoutSeconds * 1000;
          const traceId = `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${requestId.replaceAll('-', '').slice(8)}`;
          worker.postMessage({ event, requestId, functionArn: definition.arn, traceId, deadline } satisfies Invocation);
        });
      }),
  };
}

const told = ({ errorType, errorMessage, trace }: FunctionError) =>
  [`${errorType}: ${errorMessage}`, ...(trace ?? []).slice(1)].join('\n');

/** Cuts a stream of text into lines. */
function lineSplitter(onLine: (line: string) => void): { push(text: string): void; flush(): void } {
  let rest = '';
  return {
    push(text) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(onLine);
    },
    flush() {
      if (rest !== '') onLine(rest);
      rest = '';
    },
  };
}
