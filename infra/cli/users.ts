/** `npm run users -- …`: reads the command line, runs the command, and says how it went. */
import { parseArgs } from 'node:util';
import { Outage } from '../../functions/shared/domain/refusal.ts';
import { Complaint } from '../local/complaint.ts';
import { createUser, deleteUser, findUser, listUsers, setPassword, setStatus } from './accounts.ts';
import { passwordGiven } from './password-input.ts';
import { revokeAll, timeBefore } from './revoke-all.ts';
import { jsonLine, row, shown, summaryOf } from './shown.ts';
import { deployedStack, type StackAccess } from './stack-access.ts';

const HELP = `Manages the users of Latchkey.

    npm run users -- COMMAND [USERNAME] [options]

Commands
    create USERNAME         makes a user; asks for the password
        --display-name NAME     how the user is called
        --role ROLE             a role in the user's tokens; may be given several times
    list                    shows every user, in no order
    show USERNAME           shows one user
    set-password USERNAME   sets another password, ends every session; asks for the password
    disable USERNAME        refuses the user from now on, ends every session
    enable USERNAME         lets a disabled user log in again
    delete USERNAME         removes the user, the password and every session for good
    revoke-all              ends the sessions of every user
        --before TIME           those made before a time, such as 2026-11-24T08:30:00Z, or "now" for all

Options
    --stack NAME    a deployed stack, in the account and region that AWS_PROFILE and AWS_REGION name;
                    without it, the local store of \`npm start\`
    --json          for list and show: one line of JSON for each user (npm run -s leaves out npm's own lines)
    --help          this text

The password is typed at the terminal without being shown, or read from standard input:
    npm run -s users -- create alice < password.txt
PASSWORD_MIN_LENGTH and BCRYPT_COST in the environment should be those of the stack where it has its own.

Exit codes: 0 done, 1 refused or out of reach, 2 not a command.
`;

/** The command line is not one of ours. */
class Misuse extends Error {}

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  stack: { type: 'string' },
  json: { type: 'boolean' },
  'display-name': { type: 'string' },
  role: { type: 'string', multiple: true },
  before: { type: 'string' },
} as const;

interface Given {
  /** Empty for commands that take none. */
  readonly username: string;
  /** Empty for commands that take none. */
  readonly password: string;
  readonly json: boolean;
  readonly displayName?: string;
  readonly roles: readonly string[];
  readonly before?: string;
}

interface Command {
  readonly takes: readonly ('username' | 'password')[];
  readonly options?: readonly (keyof typeof OPTIONS)[];
  run(stack: StackAccess, given: Given): Promise<void>;
}

const print = (text: string) => void process.stdout.write(text);

const COMMANDS: Readonly<Record<string, Command>> = {
  create: {
    takes: ['username', 'password'],
    options: ['display-name', 'role'],
    async run(stack, given) {
      const { username, id } = await createUser(stack, given);
      print(`Created ${username} (${id}).\n`);
    },
  },
  list: {
    takes: [],
    options: ['json'],
    async run(stack, { json }) {
      let unreadable = 0;
      if (!json) print(row('USERNAME', 'STATUS', 'CREATED', 'ID'));
      for await (const one of listUsers(stack)) {
        if ('unreadable' in one) {
          unreadable += 1;
          process.stderr.write(`Not readable: ${shown(one.unreadable)}\n`);
          continue;
        }
        const summary = summaryOf(one.user);
        print(json ? jsonLine(summary) : row(summary.username, summary.status, summary.createdAt, summary.id));
      }
      if (unreadable > 0) throw new Complaint(`${unreadable} of the users could not be read.`);
    },
  },
  show: {
    takes: ['username'],
    options: ['json'],
    async run(stack, { username, json }) {
      const user = await findUser(stack, username);
      if (user === undefined) throw new Complaint(`There is no user "${username}".`);
      const summary = summaryOf(user);
      if (json) {
        print(jsonLine(summary));
        return;
      }
      for (const [name, value] of Object.entries(summary)) {
        print(`${name.padEnd(12)} ${shown(typeof value === 'string' ? value : value.join(', '))}\n`);
      }
    },
  },
  'set-password': {
    takes: ['username', 'password'],
    async run(stack, { username, password }) {
      const user = await setPassword(stack, username, password);
      print(`${user.username} has a new password; every session has ended.\n`);
    },
  },
  disable: {
    takes: ['username'],
    async run(stack, { username }) {
      const user = await setStatus(stack, username, 'disabled');
      print(`${user.username} is disabled; every session has ended.\n`);
    },
  },
  enable: {
    takes: ['username'],
    async run(stack, { username }) {
      const user = await setStatus(stack, username, 'active');
      print(`${user.username} can log in.\n`);
    },
  },
  delete: {
    takes: ['username'],
    async run(stack, { username }) {
      const user = await deleteUser(stack, username);
      print(`${user.username} is deleted.\n`);
    },
  },
  'revoke-all': {
    takes: [],
    options: ['before'],
    async run(stack, { before }) {
      const { ended, unreadable } = await revokeAll(stack, timeBefore(before));
      print(`${ended} session${ended === 1 ? ' has' : 's have'} ended.\n`);
      if (unreadable > 0) throw new Complaint(`${unreadable} of the sessions could not be read.`);
    },
  },
};

const NEVER_AN_ARGUMENT =
  'A password is never an argument, where others on this machine could read it: it is asked for, or read from standard input.';

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parsed(args);
  if (values.help) {
    print(HELP);
    return;
  }
  const [name, username = '', ...surplus] = positionals;
  if (name === undefined) throw new Misuse('What is to be done?');
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw new Misuse('There is no such command.');

  const asksPassword = command.takes.includes('password');
  if (command.takes.includes('username')) {
    if (username === '') throw new Misuse(`${name} needs a username.`);
    if (surplus.length > 0) throw new Misuse(asksPassword ? NEVER_AN_ARGUMENT : `${name} takes one username.`);
  } else if (positionals.length > 1) {
    throw new Misuse(`${name} takes no username.`);
  }
  const stray = Object.keys(values).find((option) => !['stack', ...(command.options ?? [])].includes(option));
  if (stray !== undefined) throw new Misuse(`${name} takes no --${stray}.`);
  if (values.stack === '') throw new Misuse('--stack needs the name of a stack.');

  // Asked before anything is opened: no store waits for a person at a terminal, and Ctrl-C leaves nothing behind.
  const password = asksPassword ? await passwordGiven() : '';
  const stack = await opened(values.stack);
  try {
    await command.run(stack, {
      username,
      password,
      json: values.json ?? false,
      ...(values['display-name'] !== undefined && { displayName: values['display-name'] }),
      roles: values.role ?? [],
      ...(values.before !== undefined && { before: values.before }),
    });
  } finally {
    await stack.close();
  }
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    // Not in parseArgs' own words: they may quote what was meant to be a password.
    if (args.some((one) => /^--?p/i.test(one))) throw new Misuse(NEVER_AN_ARGUMENT, { cause: error });
    throw new Misuse('One of the options is not known, or has no value.', { cause: error });
  }
}

async function opened(name: string | undefined): Promise<StackAccess> {
  if (name !== undefined) return deployedStack(name);
  const { openLocalStack } = await import('../local/local-stack.ts');
  return openLocalStack();
}

/** One line for the person at the terminal. */
function wordsFor(error: unknown): string {
  if (error instanceof Misuse) return `${error.message} See: npm run users -- --help`;
  if (error instanceof Complaint || error instanceof RangeError) return error.message;
  const cause = error instanceof Outage ? (error.cause ?? error) : error;
  const what = error instanceof Outage ? 'The store could not be reached' : 'That did not work';
  return cause instanceof Error ? `${what}: ${cause.name}: ${cause.message}` : `${what}.`;
}

// `npm run -s users -- list | head`: whoever reads has had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${shown(wordsFor(error))}\n`);
  process.exitCode = error instanceof Misuse ? 2 : 1;
}
