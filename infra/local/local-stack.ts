import type { StackAccess } from '../cli/stack-access.ts';
import { Complaint } from './complaint.ts';
import { dataFolder, filesIn, isLocked, lock, readStackFile } from './data-folder.ts';
import { startEngine } from './engine.ts';
import { secretsStore } from './secrets-store.ts';

/**
 * The local stack, for commands that run beside `npm start` or without it: they use its engine while it runs, and start
 * the engine themselves where it does not.
 *
 * @throws {Complaint} where nothing was ever started here
 */
export async function openLocalStack(): Promise<StackAccess> {
  const folder = dataFolder();
  const files = filesIn(folder);
  const { usersTable, sessionsTable, peppersSecret, engineEndpoint } = readStackFile(folder);
  const named = process.env['DYNAMODB_ENDPOINT'];
  const { endpoint, close } =
    named !== undefined
      ? { endpoint: named, close: () => Promise.resolve() }
      : isLocked(folder)
        ? { endpoint: engineEndpoint, close: () => Promise.resolve() }
        : await ownEngine(folder);
  return {
    usersTable,
    sessionsTable,
    dynamoDbEndpoint: endpoint,
    peppersSecret: () => {
      const secret = secretsStore(files.secrets).secret(peppersSecret);
      if (secret === undefined) throw new Complaint('The local stack has no pepper: run `npm start` once.');
      return Promise.resolve(secret.text);
    },
    close,
  };
}

async function ownEngine(folder: string): Promise<{ endpoint: string; close: () => Promise<void> }> {
  const unlock = lock(folder);
  try {
    const engine = await startEngine({ kind: 'dynoxide', folder: filesIn(folder).engine });
    return {
      endpoint: engine.endpoint,
      close: async () => {
        await engine.stop();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}
