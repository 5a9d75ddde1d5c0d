/** `npm run users -- …`: reads the command line, runs the command, and says how it went. */
import { parseArgs } from 'node:util';
import { Outage } from '../../functions/shared/domain/refusal.ts';
import { Complaint } from '../local/complaint.ts';
import { changeRoles, createUser, deleteUser, findUser, listUsers, setPassword, setStatus } from './accounts.ts';
import { passwordGiven } from './password-input.ts';
import { revokeAll, timeBefore } from './revoke-all.ts';
import { jsonLine, row, sessionRow, shown, summaryOf } from './shown.ts';
import { deployedStack, type StackAccess } from './stack-access.ts';
import { exportUsers, importUsers } from './transfer.ts';
import { importWatcher } from './import-watcher.ts';
import { listSessions, revokeAllSessions, revokeSession, sessionSummary } from './user-sessions.ts';

const HELP = `Manages the users of Latchkey.

    npm run users -- COMMAND [USERNAME] [SESSION] [options]

Commands
    create USERNAME         makes a user; asks for the password
        --display-name NAME     how the user is called
        --role ROLE             a role in the user's tokens; may be given several times
    list                    shows every user, in no order
    show USERNAME           shows one user
    set-password USERNAME   sets another password, ends every session; asks for the password
    disable USERNAME        refuses the user from now on, ends every session
    enable USERNAME         lets a disabled user log in again
    roles USERNAME          gives the user roles and takes others away
        --add ROLE, --remove ROLE
                                may be given several times
    import FILE             makes users of a CSV file with a header, or of a file with a JSON object in each line:
                            username, password (a hash: ours, Django's, bcrypt), and optionally id, email,
                            display_name, status, roles, created_at; a dump of Django's auth_user will do
    export FILE             writes every user, hashes included, as an import takes them
        --force                 over a file that is there
    sessions USERNAME       shows the devices where the user is logged in
    revoke USERNAME [SESSION]
                            ends one session, or all of them
    delete USERNAME         removes the user, the password and every session for good
    revoke-all              ends the sessions of every user
        --before TIME           those made before a time, such as 2026-11-24T08:30:00Z, or "now" for all

Options
    --stack NAME    a deployed stack, in the account and region that AWS_PROFILE and AWS_REGION name;
                    without it, the local store of \`npm start\`
    --json          for list, show and sessions: one line of JSON for each (npm run -s leaves out npm's own lines)
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
  add: { type: 'string', multiple: true },
  remove: { type: 'string', multiple: true },
  force: { type: 'boolean' },
  before: { type: 'string' },
} as const;

interface Given {
  /** Of the user, or the name of the file; empty for commands that take none. */
  readonly username: string;
  /** Empty where none is named. */
  readonly session: string;
  /** Empty for commands that take none. */
  readonly password: string;
  readonly json: boolean;
  readonly displayName?: string;
  readonly roles: readonly string[];
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly force: boolean;
  readonly before?: string;
}

interface Command {
  readonly takes: readonly ('username' | 'password' | 'session' | 'file')[];
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
  roles: {
    takes: ['username'],
    options: ['add', 'remove'],
    async run(stack, { username, add, remove }) {
      const user = await changeRoles(stack, username, { add, remove });
      print(`${user.username} has ${user.roles.length === 0 ? 'no roles' : `the roles ${user.roles.join(', ')}`}.\n`);
    },
  },
  import: {
    takes: ['file'],
    async run(stack, { username: file }) {
      const { imported, present, refused } = await importUsers(stack, file, importWatcher());
      print(`${imported} imported, ${present} there already, ${refused} refused.\n`);
      if (refused > 0) throw new Complaint(`${refused} of the rows were refused.`);
    },
  },
  export: {
    takes: ['file'],
    options: ['force'],
    async run(stack, { username: file, force }) {
      print(`${await exportUsers(stack, file, force)} users exported to ${file}, with their password hashes.\n`);
    },
  },
  sessions: {
    takes: ['username'],
    options: ['json'],
    async run(stack, { username, json }) {
      const sessions = await listSessions(stack, username);
      if (!json) print(sessionRow('ID', 'LOGGED IN', 'LAST USED', 'ADDRESS', 'USER AGENT'));
      for (const summary of sessions.map(sessionSummary)) {
        const { id, createdAt, lastUsedAt, address, userAgent } = summary;
        print(json ? jsonLine(summary) : sessionRow(id, createdAt, lastUsedAt, address, userAgent));
      }
    },
  },
  revoke: {
    takes: ['username', 'session'],
    async run(stack, { username, session }) {
      if (session === '') {
        const user = await revokeAllSessions(stack, username);
        print(`Every session of ${user.username} has ended.\n`);
      } else {
        const user = await revokeSession(stack, username, session);
        print(`The session of ${user.username} has ended.\n`);
      }
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
  const [name, username = '', ...others] = positionals;
  if (name === undefined) throw new Misuse('What is to be done?');
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw new Misuse('There is no such command.');

  const asksPassword = command.takes.includes('password');
  const [session = '', ...surplus] = command.takes.includes('session') ? others : ['', ...others];
  if (command.takes.includes('username')) {
    if (username === '') throw new Misuse(`${name} needs a username.`);
    if (surplus.length > 0) throw new Misuse(asksPassword ? NEVER_AN_ARGUMENT : `${name} takes one username.`);
  } else if (command.takes.includes('file')) {
    if (username === '' || surplus.length > 0) throw new Misuse(`${name} needs one file.`);
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
      session,
      password,
      json: values.json ?? false,
      ...(values['display-name'] !== undefined && { displayName: values['display-name'] }),
      roles: values.role ?? [],
      add: values.add ?? [],
      remove: values.remove ?? [],
      force: values.force ?? false,
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
