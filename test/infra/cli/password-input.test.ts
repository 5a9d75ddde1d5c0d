import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { operators, USERS_COMMAND, type Operators, type Stored } from '../../support/operators.ts';

const PASSWORD = 'correct horse battery staple';

let office: Operators;
let empty: Stored;
beforeAll(async () => {
  office = await operators();
  empty = await office.stored();
});
afterAll(() => office.close());

/** 128 characters of four bytes each, in no order. */
const PICTURES = Array.from({ length: 128 }, (_, at) => String.fromCodePoint(0x1f300 + ((at * 37) % 256))).join('');

test.each([
  ['too short', 'short', 'too short'],
  ['14 characters that are 28 bytes', 'ä'.repeat(14), 'too short'],
  ['129 characters', 'x'.repeat(129), 'too long'],
  ['the username', 'Nobody.At.All.Here', 'same as the username'],
  ['nothing', '', 'holds no password'],
  ['an empty line', '\n', 'holds no password'],
  ['two lines', `${PASSWORD}\n${PASSWORD}\n`, 'in one line'],
  ['5,000 characters', 'x'.repeat(5_000), 'too long for a password'],
  ['Latin-1', Buffer.from('sch\xf6ne lange W\xf6rter', 'latin1'), 'not UTF-8'],
])('%s on standard input is refused in one line, and nothing is stored', async (_, input, words) => {
  const { code, out, err } = await office.run(['create', 'nobody.at.all.here'], { input });
  expect({ code, out, lines: err.split('\n').length }).toEqual({ code: 1, out: '', lines: 2 });
  expect(err).toContain(words);
  expect(await office.stored()).toEqual(empty);
});

test.each([
  ['as it is', PASSWORD, PASSWORD],
  ['with the line’s end of another system', `${PASSWORD}\r\n`, PASSWORD],
  ['with spaces at both ends, which belong to it', `  ${PASSWORD} \n`, `  ${PASSWORD} `],
  ['of 128 characters of four bytes each', PICTURES, PICTURES],
  ['in another normal form', 'Schöne lange Wörter'.normalize('NFD'), 'Schöne lange Wörter'.normalize('NFC')],
])('a password on standard input is taken %s', async (_, input, password) => {
  expect(await office.run(['create', 'piped'], { input })).toMatchObject({ code: 0, err: '' });
  expect(await office.fits('piped', password)).toBe(true);
  expect(await office.fits('piped', `${password.trim()}.`)).toBe(false);
  await office.run(['delete', 'piped']);
});

test('the least length is a setting, and one that cannot be is refused by name', async () => {
  const env = { PASSWORD_MIN_LENGTH: '8' };
  expect(await office.run(['create', 'eight'], { input: '8 chars!', env })).toMatchObject({ code: 0 });
  await office.run(['delete', 'eight']);
  const { code, err } = await office.run(['create', 'eight'], { input: '8 chars!', env: { PASSWORD_MIN_LENGTH: '7' } });
  expect(code).toBe(1);
  expect(err).toContain('PASSWORD_MIN_LENGTH');
});

test.each([
  [['create', 'alice', 'hunter2-hunter2-hunter2']],
  [['create', 'alice', '--password', 'hunter2-hunter2-hunter2']],
  [['create', 'alice', '--password=hunter2-hunter2-hunter2']],
  [['set-password', 'alice', '-phunter2-hunter2-hunter2']],
])('%j: a password is never an argument, and is not repeated', async (args) => {
  const { code, out, err } = await office.run(args, { input: PASSWORD });
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain('A password is never an argument');
  expect(err).not.toContain('hunter2');
  expect(await office.stored()).toEqual(empty);
});

test.each([
  [[]],
  [['createe', 'alice']],
  [['toString']],
  [['create']],
  [['create', '']],
  [['list', 'alice']],
  [['show', 'alice', 'bert']],
  [['show', 'alice', '--role', 'admin']],
  [['create', 'alice', '--json']],
  [['list', '--stack=']],
  [['list', '--stack']],
  [['list', '--verbose']],
])('%j is not a command', async (args) => {
  const { code, out, err } = await office.run(args, { input: PASSWORD });
  expect({ code, out, lines: err.split('\n').length }).toEqual({ code: 2, out: '', lines: 2 });
  expect(err).toContain('See: npm run users -- --help');
  expect(await office.stored()).toEqual(empty);
});

test.each([
  [['create', 'ab'], 'valid username'],
  [['create', 'аdmin'], 'valid username'],
  [['create', 'alice', '--role', 'two words'], 'A role has'],
  [['create', 'alice', '--display-name', '\u001b[2J'], 'A display name has'],
  [['create', 'alice', '--display-name', ''], 'A display name has'],
])('%j is refused', async (args, words) => {
  const { code, out, err } = await office.run(args, { input: PASSWORD });
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toContain(words);
  expect(await office.stored()).toEqual(empty);
});

test('--help says every command', async () => {
  const { code, out, err } = await office.run(['--help']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  for (const command of ['create', 'list', 'show', 'set-password', 'disable', 'enable', 'delete']) {
    expect(out).toContain(`    ${command}`);
  }
});

/** Runs a command on a pseudo-terminal: for each prompt seen, types what belongs to it. Prints all that was shown. */
const TYPIST = `
import os, pty, sys, json
argv, steps = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execv(argv[0], argv)
shown, new = b'', b''
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        piece = b''
    if not piece:
        break
    shown, new = shown + piece, new + piece
    if steps and steps[0][0].encode() in new:
        os.write(terminal, steps.pop(0)[1].encode())
        new = b''
_, status = os.waitpid(pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), shown.decode()]))
`;

const hasPython = spawnSync('python3', ['-c', 'import pty, os; os.waitstatus_to_exitcode']).status === 0;
if (!hasPython) process.stdout.write('Not tested here, for want of python3: the password typed at a terminal.\n');
const onTerminal = hasPython ? test.each : test.skip.each;

onTerminal([
  ['typed twice', [PASSWORD, PASSWORD], 0, 'Created typist ('],
  ['typed differently', [PASSWORD, `${PASSWORD}!`], 1, 'two different passwords'],
  ['given up with Ctrl-C', ['\u0003'], 1, 'Cancelled. Nothing was done.'],
  ['given up with Ctrl-C the second time', [PASSWORD, '\u0003'], 1, 'Cancelled. Nothing was done.'],
  ['given up with Ctrl-D', ['\u0004'], 1, 'Cancelled. Nothing was done.'],
  ['not typed at all', [''], 1, 'No password was typed.'],
])('at the terminal a password is not shown: %s', async (_, typed, code, words) => {
  const prompts = ['Password:', 'once more:'];
  const steps = typed.map((text, at) => [prompts[at], text.length === 1 ? text : `${text}\r`]);
  const argument = JSON.stringify([[process.execPath, USERS_COMMAND, 'create', 'typist'], steps]);
  const { stdout, stderr } = spawnSync('python3', ['-c', TYPIST, argument], { env: office.env, encoding: 'utf8' });
  expect(stderr).toBe('');
  const [exit, shown] = JSON.parse(stdout) as [number, string];
  expect(shown).toContain(words);
  expect(shown).not.toContain(PASSWORD);
  expect(exit).toBe(code);
  expect((await office.stored()).logins.has('typist')).toBe(code === 0);
  if (code === 0) {
    expect(await office.fits('typist', PASSWORD)).toBe(true);
    await office.run(['delete', 'typist']);
  }
});
