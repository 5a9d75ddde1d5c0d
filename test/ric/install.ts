/**
 * Installs AWS's runtime interface client for Node, which npm compiles from source (cmake, make, a C++ compiler; about a
 * minute), into the data folder and not into the project: few who install Latchkey want to wait for it.
 *
 *     npm run test:ric      installs it where it is missing and runs the tests that need it
 *
 * Where it cannot be built it says so, and the tests are skipped.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RIC_FOLDER, RIC_VERSION, ric } from '../support/ric.ts';

const LIMIT_MILLISECONDS = 600_000;

if (ric() === undefined) {
  const draft = `${RIC_FOLDER}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  writeFileSync(join(draft, 'package.json'), '{"private":true,"allowScripts":{"aws-lambda-ric":true}}\n');
  const args = ['install', '--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts=false'];
  const { npm_execpath: script, npm_node_execpath: node } = process.env;
  const [command, before] = script === undefined ? ['npm', []] : [node ?? process.execPath, [script]];
  process.stderr.write(`Building aws-lambda-ric ${RIC_VERSION} (about a minute) …\n`);
  const { status } = spawnSync(command, [...before, ...args, `aws-lambda-ric@${RIC_VERSION}`], {
    cwd: draft,
    env: { ...process.env, ...headers(node) },
    stdio: ['ignore', 2, 2],
    timeout: LIMIT_MILLISECONDS,
  });
  if (status === 0) renameSync(draft, RIC_FOLDER);
  // What npm had started may still write there.
  else rmSync(draft, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 });
  if (ric() === undefined) process.stdout.write('Skipped: aws-lambda-ric could not be built here; see above.\n');
}

/** node-gyp would download Node's headers; most installations have them beside the binary, and the client needs no others. */
function headers(node: string | undefined): Record<string, string> {
  if (node === undefined || process.env['npm_config_nodedir'] !== undefined) return {};
  const prefix = dirname(dirname(realpathSync(node)));
  return existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? { npm_config_nodedir: prefix } : {};
}
