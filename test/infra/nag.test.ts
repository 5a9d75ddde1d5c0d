import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { contextOf, folderForSynthesis, listOf, membersOf, type Context } from '../support/template.ts';

const EVERYTHING_ON = {
  env: 'prod',
  tracing: 'on',
  alarmEmail: 'on-call@example.com',
  domainName: 'id.example.com',
  certificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/0a1b',
};

interface Nag {
  readonly found: readonly string[];
  readonly open: readonly string[];
  /** Finding and reason. */
  readonly acknowledged: ReadonlyMap<string, string>;
}

function nagOf(context: Context): Nag {
  const folder = folderForSynthesis();
  const env = { ...process.env, CDK_CONTEXT_JSON: JSON.stringify(contextOf(context, false)), CDK_OUTDIR: folder };
  const { stdout, stderr } = spawnSync(process.execPath, ['test/support/nag-app.ts'], { env, encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  if (stdout === '') throw new Error(stderr);
  const { found, open, acknowledged } = membersOf(JSON.parse(stdout));
  const texts = (list: unknown) => listOf(list).map(String);
  return {
    found: texts(found),
    open: texts(open),
    acknowledged: new Map(listOf(acknowledged).map((entry): [string, string] => [texts(entry)[0]!, texts(entry)[1]!])),
  };
}

test.each<[string, Context]>([
  ['dev', { env: 'dev' }],
  ['prod with everything on', EVERYTHING_ON],
  ['dev with keys in KMS', { env: 'dev', signing: 'kms' }],
])(
  'cdk-nag finds nothing in %s that is not acknowledged, and nothing is acknowledged that it does not find',
  (_name, context) => {
    const { found, open, acknowledged } = nagOf(context);
    // It looks at all: what is acknowledged is found without the acknowledgement.
    expect(found.length).toBeGreaterThan(50);
    expect(open).toEqual([]);
    expect([...acknowledged.keys()].toSorted()).toEqual([...new Set(found)].toSorted());
    for (const reason of new Set(acknowledged.values())) expect(reason).toMatch(/^[A-Z].{60,}\.$/);
  },
);
