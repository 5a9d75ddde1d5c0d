/** The services that `npm run sam-services` starts, for containers that are processes of this machine. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { createUser } from '../../infra/cli/accounts.ts';
import { startEngine } from '../../infra/local/engine.ts';
import { type SamServices, startSamServices } from '../../infra/local/sam-services.ts';
import { engineKind, PASSWORD } from './local-gateway.ts';
import { type SamTemplate, readAsSam } from './sam.ts';
import { synthesize } from './template.ts';

export interface SamRun {
  readonly folder: string;
  readonly template: SamTemplate;
  readonly services: SamServices;
  /** What the custom resource's function said, newest last. */
  readonly outcomes: readonly string[];
  close(): Promise<void>;
}

export async function startSamRun(): Promise<SamRun> {
  process.env['BCRYPT_COST'] = '4';
  const context = {
    env: 'local',
    'aws:cdk:enable-asset-metadata': true,
  };
  const { status, errors, folder } = synthesize(context, true);
  if (status !== 0) throw new Error(errors);
  const engine = await startEngine({ kind: engineKind() });
  const outcomes: string[] = [];
  // As a pass-phrase of the demo user: nothing that JSON would have to escape.
  const password = PASSWORD.replaceAll(' ', '-');
  const services = await startSamServices({
    assembly: folder,
    engineEndpoint: engine.endpoint,
    environment: { BCRYPT_COST: '4' },
    host: '127.0.0.1',
    port: 0,
    containerHost: '127.0.0.1',
    apiUrl: 'http://127.0.0.1:3000',
    user: async ({ access }) => {
      await createUser(access, { username: 'demo', password });
      return { username: 'demo', password };
    },
    onOutcome: (text) => outcomes.push(text),
  });
  return {
    folder,
    template: readAsSam(join(folder, 'Latchkey-local.template.json')),
    services,
    outcomes,
    close: async () => {
      await services.close();
      await engine.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The folder name of a function's source: `make-keys` for `MakeKeys`. */
export const sourceOf = (resourceId: string) => resourceId.replace(/(?!^)([A-Z])/g, '-$1').toLowerCase();

/** What the answer to an event file has to be. */
export function expectAnswered(name: string, json: string, outcomes: readonly string[]): void {
  const answer: unknown = JSON.parse(json);
  switch (name) {
    case 'make-keys':
      expect(answer).toBeNull();
      return expect(JSON.parse(outcomes.at(-1) ?? '{}')).toMatchObject({
        Status: 'SUCCESS',
        LogicalResourceId: 'Keys',
      });
    case 'rotate-keys':
      return expect(answer).toBeNull();
    case 'authorizer':
      return expect(answer).toMatchObject({
        policyDocument: { Statement: [{ Effect: 'Allow', Resource: expect.stringMatching(/\/v1\/\*$/) }] },
        context: { sub: expect.any(String), sid: expect.any(String), exp: expect.any(Number) },
      });
    case 'fallback':
      return expect(answer).toMatchObject({ statusCode: 404 });
    case 'verify-email':
    case 'confirm-reset':
      // Nobody was mailed the code of an event.
      return expect(answer).toMatchObject({
        statusCode: 400,
        body: expect.stringContaining('Invalid or expired token.'),
      });
    default:
      return expect([name, String(Object(answer).statusCode)]).toEqual([name, expect.stringMatching(/^2/)]);
  }
}
