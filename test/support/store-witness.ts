/** Stands before the store and writes down which function asked what of it, in the words of IAM. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type IamRequest, type PartitionKeys, requestsOf } from './iam.ts';
import type { Report } from './store-witness-thread.ts';

export interface Witnessed extends IamRequest {
  /** Logical id of the function. */
  readonly by: string;
}

export interface StoreWitness {
  /** Everything so far. */
  seen(): Promise<readonly Witnessed[]>;
  /** The store, for one function: every call that comes this way is its. */
  endpointFor(functionId: string): string;
  stop(): Promise<void>;
}

/** @param upstream the engine's endpoint */
export async function startStoreWitness(
  upstream: string,
  partitionKeys: PartitionKeys,
  arnOf: (table: string) => string,
): Promise<StoreWitness> {
  const thread = new Worker(new URL('./store-witness-thread.ts', import.meta.url), {
    workerData: { upstream },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const next = async (): Promise<Report> => {
    const [report] = (await once(thread, 'message')) as [Report];
    return report;
  };
  const first = await next();
  const port = 'port' in first ? first.port : 0;
  const all: Witnessed[] = [];
  return {
    seen: async () => {
      thread.postMessage('tell');
      const report = await next();
      for (const { by, operation, body } of 'heard' in report ? report.heard : []) {
        const input: unknown = JSON.parse(body);
        all.push(...requestsOf(operation, input, partitionKeys, arnOf).map((one) => ({ by, ...one })));
      }
      return all;
    },
    endpointFor: (functionId) => `http://127.0.0.1:${port}/${functionId}`,
    stop: async () => {
      await thread.terminate();
    },
  };
}
