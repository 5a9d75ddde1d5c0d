/** `npm run keys -- …`: reads the command line, runs the command, and says how it went. */
import { parseArgs } from 'node:util';
import { Complaint } from '../local/complaint.ts';
import {
  isPublished,
  KINDS,
  listKeys,
  republish,
  retireKey,
  startRotation,
  type Kind,
  type ShownKey,
} from './key-rings.ts';
import { deployedKeys, type KeysAccess } from './keys-access.ts';
import { jsonLine, shown } from './shown.ts';

const HELP = `Manages the keys of Latchkey.

    npm run keys -- COMMAND [options]

Commands
    list              shows every key: its name, state and times, never the key
    rotate [KIND…]    starts a rotation, as the schedule does: ${KINDS.join(', ')};
                      signing-keys and refresh-secrets unless told
    retire KID        emergency brake: ends a key now; where it signs, another one signs at once
    publish           writes the public keys again to where everybody reads them

Options
    --stack NAME    a deployed stack, in the account and region that AWS_PROFILE and AWS_REGION name;
                    without it, the local store of \`npm start\`, which must be running to rotate
    --json          for list: one line of JSON for each key (npm run -s leaves out npm's own lines)
    --help          this text

What retire reaches at once, and what waits for the caches of others, is in docs/runbook.md.

Exit codes: 0 done, 1 refused or out of reach, 2 not a command.
`;

/** The command line is not one of ours. */
class Misuse extends Error {}

interface Command {
  /** How many words it takes. */
  readonly takes: readonly [number, number];
  run(access: KeysAccess, words: readonly string[], json: boolean): Promise<void>;
}

const print = (text: string) => void process.stdout.write(text);
const warn = (text: string) => void process.stderr.write(text);

const row = (key: Omit<ShownKey, 'kind' | 'state'> & { readonly kind: string; readonly state: string }) =>
  [
    shown(key.kid).padEnd(43),
    key.kind.padEnd(15),
    (key.kmsKey === undefined ? key.algorithm : `${key.algorithm} KMS`).padEnd(12),
    key.state.padEnd(8),
    key.publishedAt.padEnd(20),
    key.signsFrom.padEnd(20),
    key.endsAt ?? '',
  ]
    .join('  ')
    .trimEnd() + '\n';
const HEADING = row({
  kid: 'KID',
  kind: 'KIND',
  algorithm: 'ALGORITHM',
  state: 'STATE',
  publishedAt: 'PUBLISHED',
  signsFrom: 'SIGNS FROM',
  endsAt: 'ENDS',
});

const isKind = (word: string): word is Kind => KINDS.some((kind) => kind === word);

const COMMANDS: Readonly<Record<string, Command>> = {
  list: {
    takes: [0, 0],
    async run(access, _words, json) {
      const keys = await listKeys(access);
      if (!json) print(HEADING);
      for (const key of keys) print(json ? jsonLine(key) : row(key));
      if (!(await isPublished(access))) {
        warn('Not every signing key is published: `npm run keys -- publish` puts that right.\n');
      }
    },
  },
  rotate: {
    takes: [0, KINDS.length],
    async run(access, words) {
      const stray = words.find((word) => !isKind(word));
      if (stray !== undefined) throw new Misuse(`There are no keys of the kind "${stray}".`);
      const kinds = words.length === 0 ? (['signing-keys', 'refresh-secrets'] as const) : words.filter(isKind);
      for (const kind of new Set(kinds)) {
        await startRotation(access, kind);
        print(`The rotation of the ${kind} has started; list shows the next key.\n`);
      }
    },
  },
  retire: {
    takes: [1, 1],
    async run(access, [kid = '']) {
      const { kind, signing } = await retireKey(access, kid);
      print(`${kid} of the ${kind} has ended; ${signing} signs. See docs/runbook.md for who learns of it when.\n`);
    },
  },
  publish: {
    takes: [0, 0],
    async run(access) {
      await republish(access);
      print('The public keys are those of the ring.\n');
    },
  },
};

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parsed(args);
  if (values.help) {
    print(HELP);
    return;
  }
  const [name, ...words] = positionals;
  if (name === undefined) throw new Misuse('What is to be done?');
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw new Misuse('There is no such command.');
  const [least, most] = command.takes;
  if (words.length < least) throw new Misuse(`${name} needs the name of a key.`);
  if (words.length > most) throw new Misuse(`${name} takes no "${words[most] ?? ''}".`);
  if (values.json && name !== 'list') throw new Misuse(`${name} takes no --json.`);
  if (values.stack === '') throw new Misuse('--stack needs the name of a stack.');

  const access = await opened(values.stack);
  try {
    await command.run(access, words, values.json ?? false);
  } finally {
    access.secretsManager.destroy();
    access.parameterStore.destroy();
    access.kms.destroy();
    await access.close();
  }
}

/** A name of a key that looks like an option: 9 random bytes or a thumbprint, which may begin with a hyphen. */
const isKidWithHyphen = (word: string) => /^-(?:[\w-]{11}|[\w-]{42})$/.test(word);

function parsed(all: string[]) {
  try {
    const args = all.filter((word) => !isKidWithHyphen(word));
    const { values, positionals } = parseArgs({
      args,
      options: { help: { type: 'boolean', short: 'h' }, stack: { type: 'string' }, json: { type: 'boolean' } },
      allowPositionals: true,
    });
    return { values, positionals: [...positionals, ...all.filter(isKidWithHyphen)] };
  } catch (error) {
    throw new Misuse('One of the options is not known, or has no value.', { cause: error });
  }
}

async function opened(name: string | undefined): Promise<KeysAccess> {
  if (name !== undefined) return deployedKeys(name);
  const { openLocalKeys } = await import('../local/local-keys.ts');
  return openLocalKeys();
}

/** One line for the person at the terminal. */
function wordsFor(error: unknown): string {
  if (error instanceof Misuse) return `${error.message} See: npm run keys -- --help`;
  if (error instanceof Complaint) return error.message;
  return error instanceof Error ? `That did not work: ${error.name}: ${error.message}` : 'That did not work.';
}

// `npm run -s keys -- list | head`: whoever reads has had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await main(process.argv.slice(2));
} catch (error) {
  warn(`${shown(wordsFor(error))}\n`);
  process.exitCode = error instanceof Misuse ? 2 : 1;
}
