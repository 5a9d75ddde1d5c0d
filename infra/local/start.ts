/**
 * The whole product on one port: what `npm start` runs.
 *
 *     npm start [-- --fresh]      PORT, HOST, LATCHKEY_DATA, DYNAMODB_ENDPOINT and every setting from the environment
 */
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { SETTINGS, settingFrom, type SettingName } from '../../functions/shared/domain/settings.ts';
import { Complaint } from './complaint.ts';
import { dataFolder, filesIn, lock, stackFileOf, writeStackFile } from './data-folder.ts';
import { demoUser } from './demo-user.ts';
import { startEngine } from './engine.ts';
import { startGateway } from './gateway.ts';
import { writeKeysFile } from './local-keys.ts';
import { onStop } from './on-stop.ts';
import { synthesizeLocally } from './synthesis.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function start(): Promise<void> {
  const fresh = freshFrom(process.argv.slice(2));
  const environment = settingsOfEnvironment();
  const port = portFrom(process.env['PORT']);
  const folder = dataFolder();
  const files = filesIn(folder);
  const unlock = lock(folder);
  const closing: (() => Promise<void> | void)[] = [unlock];
  const close = async (): Promise<void> => {
    for (const each of closing.splice(0).reverse()) await each();
  };
  try {
    if (fresh)
      for (const file of [files.engine, files.secrets, files.kms, files.mails, files.demoUser])
        rmSync(file, { recursive: true, force: true });
    const assembly = synthesizeLocally(folder, say);
    const named = process.env['DYNAMODB_ENDPOINT'];
    const engine = named === undefined ? await startEngine({ kind: 'dynoxide', folder: files.engine }) : undefined;
    if (engine !== undefined) closing.push(() => engine.stop());
    const engineEndpoint = engine?.endpoint ?? named ?? '';
    const gateway = await startGateway({
      assembly,
      engineEndpoint,
      secretsFile: files.secrets,
      kmsFile: files.kms,
      mailsFile: files.mails,
      onMail: ({ to, subject }) => say(`· mail to ${to.join(', ')}: ${subject} (${files.mails})`),
      environment,
      host: process.env['HOST'] ?? '127.0.0.1',
      port,
      onOutput: (name, line) => say(`${name}  ${line}`),
      onPlatform: (line) => say(`· ${line}`),
    });
    closing.push(() => gateway.close());
    writeStackFile(
      folder,
      stackFileOf((name) => gateway.output(name), engineEndpoint),
    );
    writeKeysFile(folder, {
      signingKeys: gateway.output('SigningKeysSecret'),
      refreshSecrets: gateway.output('RefreshSecretsSecret'),
      peppers: gateway.output('PeppersSecret'),
      publicKeys: gateway.output('PublicKeysParameter'),
      endpoint: gateway.secretsEndpoint,
      kmsEndpoint: gateway.kmsEndpoint,
    });
    const user = await demoUser(gateway.access, files.demoUser);
    onStop(close);
    welcome(gateway.url, user);
  } catch (error) {
    await close();
    throw error;
  }
}

/** @throws {Complaint} for anything but `--fresh` */
function freshFrom(args: string[]): boolean {
  try {
    return parseArgs({ args, options: { fresh: { type: 'boolean', default: false } } }).values.fresh;
  } catch {
    throw new Complaint('Usage: npm start [-- --fresh]');
  }
}

/** @throws {Complaint} */
function portFrom(text = '3000'): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text);
  throw new Complaint(`PORT must be a number from 0 to 65535, not "${text}".`);
}

/** Settings that the environment names, checked before anything starts. @throws {RangeError} */
function settingsOfEnvironment(): Record<string, string> {
  const names = Object.keys(SETTINGS) as SettingName[];
  const given = names.flatMap((name): [string, string][] => {
    const variable = SETTINGS[name].env;
    const text = process.env[variable];
    if (text === undefined) return [];
    settingFrom(name, text, 'run');
    return [[variable, text]];
  });
  const issuer = process.env['ISSUER'];
  return { ...Object.fromEntries(given), ...(issuer !== undefined && { ISSUER: issuer }) };
}

/** Lines to paste one after the other. Node stands in for jq: whoever reads this has it. */
function welcome(url: string, { username, password }: { username: string; password: string }): void {
  const member = (name: string) => `$(node -p 'JSON.parse(process.argv[1]).${name}' "$PAIR")`;
  say(`
Latchkey is ready at ${url}   (Ctrl-C stops it)

Open ${url}/ in a browser and log in there, or paste the lines below.

Demo user: ${username}
Pass-phrase: ${password}

# log in
PAIR=$(curl -s ${url}/api/token -d username=${username} -d password=${password}); echo "$PAIR"

# call a protected API with the access token
curl -s ${url}/api/profile -H "Authorization: Bearer ${member('access')}"

# get a new pair with the refresh token
curl -s ${url}/api/token/refresh -d "refresh=${member('refresh')}"
`);
}

try {
  await start();
} catch (error) {
  if (!(error instanceof Complaint || error instanceof RangeError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
