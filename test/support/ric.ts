import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolder } from '../../infra/local/data-folder.ts';
import type { SamFunction } from './sam.ts';
import { startRuntimeApi } from './runtime-api.ts';

export const RIC_VERSION = '4.0.2';
/** Built for one processor and C library, hence not one folder for all. */
export const RIC_FOLDER = join(dataFolder(), `aws-lambda-ric-${RIC_VERSION}-${process.platform}-${process.arch}`);

/** The runtime interface client's entry, where it has been built. */
export function ric(): string | undefined {
  const folder = join(RIC_FOLDER, 'node_modules', 'aws-lambda-ric');
  return existsSync(join(folder, 'rapid-client.node')) ? join(folder, 'index.mjs') : undefined;
}

/** Runs a function's bundle under the runtime interface client, as a container of Lambda does, for one event. */
export async function invokeThroughRic(
  entry: string,
  fn: SamFunction,
  environment: Readonly<Record<string, string>>,
  event: string,
): Promise<string> {
  const api = await startRuntimeApi(
    `arn:aws:lambda:us-east-1:123456789012:function:${fn.logicalId}`,
    fn.timeoutSeconds,
  );
  const client = spawn(process.execPath, [entry, fn.handler], {
    env: {
      ...environment,
      AWS_LAMBDA_RUNTIME_API: api.address,
      AWS_EXECUTION_ENV: `AWS_Lambda_${fn.runtime}`,
      LAMBDA_TASK_ROOT: fn.code,
      _HANDLER: fn.handler,
    },
    cwd: fn.code,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [client.stdout, client.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<never>((_, reject) => {
    client.once('exit', (code) => reject(new Error(`the client ended with ${String(code)}: ${said}`)));
  });
  ended.catch(() => undefined);
  try {
    return await Promise.race([api.invoke(event), ended]);
  } finally {
    const gone = new Promise((resolve) => client.once('close', resolve));
    if (client.kill('SIGKILL')) await gone;
    await api.close();
  }
}
