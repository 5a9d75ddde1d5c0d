/**
 * Runs jest with the flags it needs under native ES modules. Further arguments go to jest.
 *
 *     node test/run.ts [--full] [--engine dynoxide|dynamodb-local] [--engine-tests-only] [jest arguments]
 *
 * --full                the larger counts of the property and concurrency tests (see support/counts.ts)
 * --engine NAME         the DynamoDB engine the tests start; dynoxide unless told
 * --engine-tests-only   only tests that start an engine: those that import infra/local/engine.ts, directly or not, without
 *                       those to which the engine makes no difference
 *
 * Where LATCHKEY_TEST_REPORTS names a folder, jest's report is left there as JSON.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const args = process.argv.slice(2);

function take(flag: string): boolean {
  const at = args.indexOf(flag);
  if (at >= 0) args.splice(at, 1);
  return at >= 0;
}

function takeValue(option: string): string | undefined {
  const at = args.indexOf(option);
  return at >= 0 ? args.splice(at, 2)[1] : undefined;
}

const env = { ...process.env };
if (take('--full')) env.LATCHKEY_TEST_FULL = '1';
const engine = takeValue('--engine');
if (engine !== undefined) env.LATCHKEY_TEST_ENGINE = engine;
// What a browser or another client makes of the answers is the same on every engine, and so is a password that is typed.
if (take('--engine-tests-only')) {
  const others = 'test/(browser|guides|infra/cli/password-input)';
  args.push('--testPathIgnorePatterns', others, '--findRelatedTests', 'infra/local/engine.ts');
}
const reports = env.LATCHKEY_TEST_REPORTS;
if (reports !== undefined) args.push('--json', '--outputFile', join(reports, `${randomUUID()}.json`));

const syntheses = mkdtempSync(join(tmpdir(), 'latchkey-syntheses-'));
env.LATCHKEY_TEST_SYNTHESES = syntheses;
// The tests start hundreds of processes that load the same modules.
const compiled = mkdtempSync(join(tmpdir(), 'latchkey-compiled-'));
env.NODE_COMPILE_CACHE = compiled;

const jest = spawn(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    fileURLToPath(import.meta.resolve('jest/bin/jest')),
    ...args,
  ],
  { cwd: root, env, stdio: 'inherit' },
);
// Ctrl-C reaches jest by itself, through the terminal; this process only waits for its end.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => jest.kill('SIGTERM'));
jest.on('exit', (code) => {
  // A process that a test has left writes there until it ends.
  for (const folder of [syntheses, compiled])
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  const used = env.LATCHKEY_TEST_ENGINE ?? 'dynoxide';
  process.stdout.write(`DynamoDB engine of this run: ${used}\n`);
  process.exitCode = code ?? 1;
});
