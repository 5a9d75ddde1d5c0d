/** The cloud assembly of this checkout, made by the CDK command line as for a deployment. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SETTINGS, settingFrom } from '../../functions/shared/domain/settings.ts';
import { Complaint } from './complaint.ts';
import { filesIn, readOr } from './data-folder.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** What a synthesis reads; nothing else changes its outcome. */
const SOURCES = ['client', 'functions', 'infra', 'cdk.json', 'package-lock.json'];

/**
 * Synthesizes the local variant of the stack, unless nothing that it is made from has changed.
 *
 * @returns the folder of the cloud assembly
 * @throws {Complaint} where the stack does not synthesize
 * @throws {RangeError} for a setting in the environment that is wrong
 */
export function synthesizeLocally(folder: string, say: (line: string) => void): string {
  const { assembly, assemblyMade } = filesIn(folder);
  // The one setting that changes what is deployed, and not only what functions are told.
  const signing = `signing=${settingFrom('signing', process.env[SETTINGS.signing.env], 'deploy')}`;
  const sources = `${hashOf(SOURCES)} ${signing}`;
  if (existsSync(join(assembly, 'manifest.json')) && readOr(assemblyMade, '') === sources) return assembly;
  say('Synthesizing the stack (cdk synth -c env=local) …');
  rmSync(assembly, { recursive: true, force: true });
  const cdk = join(dirname(createRequire(import.meta.url).resolve('aws-cdk/package.json')), 'bin', 'cdk');
  const args = [cdk, 'synth', '--quiet', '--no-notices', '-c', 'env=local', '-c', signing, '-o', assembly];
  // A local run asks nobody on the network for anything, and waits for no judgement of what is not deployed: the library's
  // own validation takes three times as long as the rest.
  const env = {
    ...process.env,
    CDK_DISABLE_VERSION_CHECK: '1',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    CDK_VALIDATION: 'false',
  };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: PROJECT, encoding: 'utf8', env });
  if (status !== 0) throw new Complaint(`The stack does not synthesize:\n${stdout}${stderr}`.trimEnd());
  writeFileSync(assemblyMade, sources);
  return assembly;
}

function hashOf(names: readonly string[]): string {
  const hash = createHash('sha256');
  const files = names.flatMap((name) =>
    name.includes('.')
      ? [name]
      : readdirSync(join(PROJECT, name), { recursive: true, encoding: 'utf8' }).map((below) => join(name, below)),
  );
  for (const file of files.filter((one) => /\.(ts|json|html|css|svg)$/.test(one)).sort()) {
    hash.update(`${file}\0`).update(readFileSync(join(PROJECT, file)));
  }
  return hash.digest('hex');
}
