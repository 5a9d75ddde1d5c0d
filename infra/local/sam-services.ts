/** Everything that the functions of the template need around them while SAM runs them in its containers. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readAssembly } from './assembly.ts';
import { Complaint } from './complaint.ts';
import type { DemoUser } from './demo-user.ts';
import { fieldsOf, jsonOf, textOf } from './fields.ts';
import { type Gateway, startGateway } from './gateway.ts';
import type { LocalDeploymentOptions } from './local-deployment.ts';
import { OUTCOME_PATH, openSamDoor } from './sam-door.ts';
import { samEnvironment } from './sam-environment.ts';

/** An event for each function, in the project; `{{access}}` and the like stand for what only a running stack has. */
export const EVENTS = fileURLToPath(new URL('../../test/events', import.meta.url));

export interface SamServicesOptions extends LocalDeploymentOptions {
  /** Address and port that containers reach. */
  readonly host: string;
  readonly port: number;
  /** What containers call this machine. */
  readonly containerHost: string;
  /** Base URL at which `sam local start-api` serves, which is the issuer of tokens. */
  readonly apiUrl: string;
  /** The account that events speak of. */
  readonly user: (gateway: Gateway) => Promise<DemoUser>;
  /** Told what a custom resource's function said. */
  readonly onOutcome: (text: string) => void;
}

export interface SamServices {
  /** The services as containers see them. */
  readonly url: string;
  readonly gateway: Gateway;
  /** For `--env-vars`. */
  readonly environment: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The names of the functions that have an event file. */
  readonly events: readonly string[];
  /** One event with what stands for it filled in, tokens of a login of its own among it. */
  event(name: string): Promise<string>;
  close(): Promise<void>;
}

/** @throws {Complaint} when a port is taken, or the assembly holds what the local gateway does not know */
export async function startSamServices(options: SamServicesOptions): Promise<SamServices> {
  const gateway = await startGateway({
    ...options,
    host: '127.0.0.1',
    port: 0,
    environment: { ...options.environment, ISSUER: options.apiUrl },
  });
  try {
    const user = await options.user(gateway);
    const door = await openSamDoor(
      {
        engine: options.engineEndpoint,
        secrets: gateway.secretsEndpoint,
        kms: gateway.kmsEndpoint,
        mail: gateway.mailEndpoint,
        api: gateway.url,
        onOutcome: options.onOutcome,
      },
      options,
    );
    const url = `http://${options.containerHost}:${new URL(door.endpoint).port}`;
    return {
      url,
      gateway,
      environment: samEnvironment(readAssembly(options.assembly), {
        DYNAMODB_ENDPOINT: url,
        SECRETS_ENDPOINT: url,
        SECRETS_MANAGER_ENDPOINT: url,
        SSM_ENDPOINT: url,
        KMS_ENDPOINT: url,
        SES_ENDPOINT: url,
        JWKS_URL: `${url}/.well-known/jwks.json`,
        ISSUER: options.apiUrl,
      }),
      events: readdirSync(EVENTS).map((file) => file.replace(/\.json$/, '')),
      event: async (name) => filled(readFileSync(join(EVENTS, `${name}.json`), 'utf8'), gateway, user, url),
      close: async () => {
        await door.close();
        await gateway.close();
      },
    };
  } catch (error) {
    await gateway.close();
    throw error;
  }
}

async function filled(text: string, gateway: Gateway, user: DemoUser, url: string): Promise<string> {
  const tokens = /\{\{(access|refresh|sub|sid|exp)\}\}/.test(text) ? await loggedIn(gateway, user) : {};
  const keys = text.includes('{{signingKeys') ? await currentKeys(gateway) : {};
  const values: Readonly<Record<string, string>> = {
    ...user,
    ...tokens,
    ...keys,
    newName: `sam-${randomUUID()}`,
    responseUrl: url + OUTCOME_PATH,
  };
  return text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    // Inside of a JSON text inside of another, so nothing that either would have to escape.
    if (value === undefined || !/^[\w.:/-]+$/.test(value)) throw new Complaint(`Events know no {{${name}}}.`);
    return value;
  });
}

/** The secret of the signing keys and its current version, which a rotation has nothing left to do with. */
async function currentKeys(gateway: Gateway): Promise<Record<string, string>> {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new SecretsManagerClient({ endpoint: gateway.secretsEndpoint, region: 'us-east-1', credentials });
  const signingKeys = gateway.output('SigningKeysSecret');
  const { VersionId = '' } = await client.send(new GetSecretValueCommand({ SecretId: signingKeys }));
  client.destroy();
  return { signingKeys, signingKeysVersion: VersionId };
}

/** The tokens of a new login, as whoever looks at the events later will send them from SAM's own address. */
async function loggedIn(gateway: Gateway, user: DemoUser): Promise<Record<string, string>> {
  const answer = await fetch(`${gateway.url}/api/token`, {
    method: 'POST',
    body: new URLSearchParams({ ...user }),
  });
  const { access, refresh } = fieldsOf(jsonOf(await answer.text(), 'The login’s answer'), 'The login’s answer');
  const token = textOf(access, 'The access token');
  const claims = fieldsOf(jsonOf(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString(), 'claims'), 'claims');
  const { sub, sid, exp } = claims;
  return {
    access: token,
    refresh: textOf(refresh, 'The refresh token'),
    sub: String(sub),
    sid: String(sid),
    exp: String(exp),
  };
}
