/**
 * Runs `npm ci` when node_modules is missing or is not what package-lock.json says, so that `npm start` and
 * `npm test` work on a fresh clone and after a pull. Started by the `pre…` scripts, on whatever Node there is
 * (20 or newer), so it is plain JavaScript without dependencies.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What the node@24 package's own install script leaves behind; without it the scripts would run on an older Node. */
const NODE = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** @returns {Record<string, { version?: string, integrity?: string, optional?: boolean }> | undefined} */
function packagesIn(lockfile) {
  try {
    return JSON.parse(readFileSync(join(root, lockfile), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** Is every package of the lockfile there in its version? Optional ones may be missing: they are for other machines. */
function installed() {
  const wanted = packagesIn('package-lock.json');
  // npm writes this file last, so an interrupted installation has none.
  const present = packagesIn('node_modules/.package-lock.json');
  if (wanted === undefined || present === undefined || !existsSync(NODE)) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    if (path === '') return true;
    const found = present[path];
    return found === undefined ? optional === true : found.version === version && found.integrity === integrity;
  });
}

function npm(...args) {
  // Not through the node_modules/.bin that npm put on PATH: npm is about to replace it.
  const path = (process.env.PATH ?? '').split(delimiter).filter((one) => !one.includes(`node_modules${sep}.bin`));
  const env = { ...process.env, PATH: path.join(delimiter) };
  const { npm_execpath: script, npm_node_execpath: node } = process.env;
  const [command, before] = script === undefined ? ['npm', []] : [node ?? process.execPath, [script]];
  const shell = script === undefined && process.platform === 'win32';
  // Its progress goes to standard error: the standard output belongs to the script that comes next.
  return spawnSync(command, [...before, ...args], { cwd: root, env, shell, stdio: ['ignore', 2, 2] }).status === 0;
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

if (Number(process.versions.node.split('.')[0]) < 20)
  fail(`Latchkey needs Node 20 or newer; this is ${process.version}.`);
if (!installed()) {
  process.stderr.write('Installing the packages of package-lock.json (npm ci) …\n');
  if (!npm('ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund')) fail('`npm ci` failed; see above.');
  if (!existsSync(NODE)) {
    fail(
      'The package node@24 has not fetched its binary: were install scripts off? Try `npm rebuild node --ignore-scripts=false`.',
    );
  }
}
