import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { attemptCounter, attemptsClearer } from '../../functions/shared/store/attempts.ts';
import type { StoreClient } from '../../functions/shared/store/client.ts';
import { epochRaiser, othersEnder } from '../../functions/shared/store/epochs.ts';
import { hashReplacer, loginFinder, loginItem } from '../../functions/shared/store/logins.ts';
import { SCHEMA_VERSION, SESSIONS_KEY, TTL_ATTRIBUTE, USERS_KEY } from '../../functions/shared/store/schema.ts';
import { sessionLister } from '../../functions/shared/store/session-list.ts';
import {
  sessionChanger,
  sessionFinder,
  sessionPutter,
  sessionRemover,
  sessionRevoker,
  unreadRotator,
} from '../../functions/shared/store/sessions.ts';
import { passwordChanger } from '../../functions/shared/store/passwords.ts';
import { profileChanger, userFinder, userItem } from '../../functions/shared/store/users.ts';
import { startEngine } from '../../infra/local/engine.ts';
import type { TestStore } from './store.ts';

export interface TableNames {
  readonly users: string;
  readonly sessions: string;
}

/** A DynamoDB engine of the test file's own, with both tables under names nobody else has. */
export interface Tables {
  readonly endpoint: string;
  readonly names: TableNames;
  /** Straight to the engine, with more patience than the functions have. */
  readonly client: StoreClient;
  readonly store: TestStore;
  stop(): Promise<void>;
}

const region = 'us-east-1';
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

/** Starts the engine that LATCHKEY_TEST_ENGINE names; dynoxide unless it is set. */
export async function startTables(): Promise<Tables> {
  const kind = process.env['LATCHKEY_TEST_ENGINE'] === 'dynamodb-local' ? 'dynamodb-local' : 'dynoxide';
  const engine = await startEngine({ kind });
  const { endpoint } = engine;
  const bare = new DynamoDBClient({ endpoint, region, credentials });
  const client = DynamoDBDocumentClient.from(bare, { marshallOptions: { removeUndefinedValues: true } });
  const names = { users: `Users-${randomUUID()}`, sessions: `Sessions-${randomUUID()}` };
  await bare.send(tableWith(names.users, USERS_KEY.partition));
  await bare.send(tableWith(names.sessions, SESSIONS_KEY.partition, SESSIONS_KEY.sort));
  return {
    endpoint,
    names,
    client,
    store: tableStore(client, names),
    async stop() {
      bare.destroy();
      await engine.stop();
    },
  };
}

const tableWith = (TableName: string, ...keys: readonly string[]) =>
  new CreateTableCommand({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: keys.map((AttributeName, at) => ({ AttributeName, KeyType: at === 0 ? 'HASH' : 'RANGE' })),
  });

/** The store's own functions on two tables. */
export function tableStore(client: StoreClient, { users, sessions }: TableNames): TestStore {
  const put = async (TableName: string, Item: Record<string, unknown>) => {
    await client.send(new PutCommand({ TableName, Item }));
  };
  return {
    countAttempt: attemptCounter(client, users),
    clearAttempts: attemptsClearer(client, users),
    findLogin: loginFinder(client, users),
    replaceHash: hashReplacer(client, users),
    findUser: userFinder(client, users),
    changeProfile: profileChanger(client, users),
    changePassword: passwordChanger(client, { users, sessions }),
    raiseEpoch: epochRaiser(client, users),
    putSession: sessionPutter(client, sessions),
    findSession: sessionFinder(client, sessions),
    listSessions: sessionLister(client, sessions),
    rotateUnread: unreadRotator(client, sessions),
    changeSession: sessionChanger(client, sessions),
    revokeSession: sessionRevoker(client, sessions, 30 * 86_400),
    removeSession: sessionRemover(client, sessions),
    endOthers: othersEnder(client, { users, sessions }),
    setUser: (user) => put(users, userItem(user)),
    setLogin: (name, login) => put(users, loginItem(name, login)),
    setSession: (session) =>
      put(sessions, { ...session, [TTL_ATTRIBUTE]: session.maxExpiresAt, schema: SCHEMA_VERSION }),
  };
}
