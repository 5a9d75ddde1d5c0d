/**
 * What `sam local` needs beside itself: the DynamoDB engine, the secrets with their keys and the key set on one port that
 * containers reach, the file for `--env-vars`, and an event for each function with live tokens in it.
 *
 *     npm run sam-services      HOST, PORT (3001), SAM_API_URL, LATCHKEY_DATA, DYNAMODB_ENDPOINT
 */
import { mkdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join, relative } from 'node:path';
import { Complaint } from './complaint.ts';
import { dataFolder, filesIn, lock, stackFileOf, writeStackFile } from './data-folder.ts';
import { demoUser } from './demo-user.ts';
import { startEngine } from './engine.ts';
import { onStop } from './on-stop.ts';
import { writePrivately } from './private-file.ts';
import { startSamServices } from './sam-services.ts';
import { synthesizeLocally } from './synthesis.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/**
 * On Linux, containers call the host by its address on Docker's bridge; elsewhere Docker leads them to the loopback.
 * Neither is reachable from another machine, and the secrets are behind it.
 */
const bridge = (): string | undefined =>
  networkInterfaces()['docker0']?.find(({ family }) => family === 'IPv4')?.address;

async function start(): Promise<void> {
  const folder = dataFolder();
  const files = filesIn(folder);
  const unlock = lock(folder);
  const closing: (() => Promise<void> | void)[] = [unlock];
  const close = async (): Promise<void> => {
    for (const each of closing.splice(0).reverse()) await each();
  };
  try {
    const assembly = synthesizeLocally(folder, say);
    const named = process.env['DYNAMODB_ENDPOINT'];
    const engine = named === undefined ? await startEngine({ kind: 'dynoxide', folder: files.engine }) : undefined;
    if (engine !== undefined) closing.push(() => engine.stop());
    const engineEndpoint = engine?.endpoint ?? named ?? '';
    const host = process.env['HOST'] ?? bridge() ?? '127.0.0.1';
    const services = await startSamServices({
      assembly,
      engineEndpoint,
      secretsFile: files.secrets,
      kmsFile: files.kms,
      host,
      port: portFrom(process.env['PORT']),
      containerHost: 'host.docker.internal',
      apiUrl: process.env['SAM_API_URL'] ?? 'http://127.0.0.1:3000',
      user: (gateway) => demoUser(gateway.access, files.demoUser),
      onOutcome: (text) => say(`custom resource: ${text}`),
    });
    closing.push(() => services.close());
    writeStackFile(
      folder,
      stackFileOf((name) => services.gateway.output(name), engineEndpoint),
    );
    mkdirSync(files.sam, { recursive: true, mode: 0o700 });
    writePrivately(join(files.sam, 'env.json'), `${JSON.stringify(services.environment, null, 2)}\n`);
    for (const name of services.events) writePrivately(join(files.sam, `${name}.json`), await services.event(name));
    onStop(close);
    welcome(`${services.url} (here: ${host})`, assembly, files.sam);
  } catch (error) {
    await close();
    throw error;
  }
}

/** @throws {Complaint} */
function portFrom(text = '3001'): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text);
  throw new Complaint(`PORT must be a number from 0 to 65535, not "${text}".`);
}

function welcome(url: string, assembly: string, sam: string): void {
  const here = (path: string) => relative(process.cwd(), path);
  const template = here(join(assembly, 'Latchkey-local.template.json'));
  const common = `-t ${template} --env-vars ${here(join(sam, 'env.json'))} --add-host host.docker.internal:host-gateway`;
  say(`
The services for SAM are ready at ${url}   (Ctrl-C stops them)
The events in ${here(sam)} have fresh tokens of the demo user; start again for new ones.

sam local start-api ${common}
sam local invoke Login ${common} -e ${here(join(sam, 'login.json'))}
`);
}

try {
  await start();
} catch (error) {
  if (!(error instanceof Complaint)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
