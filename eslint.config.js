import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const aws = {
  regex: '^@(aws-sdk|smithy)/',
  message: 'The AWS SDK stays in functions/shared/store, shared/mail and shared/runtime.',
};
const events = { regex: '^aws-lambda$', message: 'AWS event types stay in handler.ts and functions/shared/http.' };
const jose = { regex: '^jose$', message: 'jose stays in functions/shared/token.' };
const bcrypt = { regex: '^bcryptjs', message: 'The hash library stays in functions/shared/password.' };
const barrel = { regex: '(^|/)index\\.ts$', message: 'Import from the file where it lives; no index.ts.' };

/** Only these folders of ours: everything that climbs out of the room and is not one of them is refused. */
const ours = (prefix, folders, room) => ({
  regex: folders.length === 0 ? '^\\.\\./' : `^\\.\\./(?!${prefix}(${folders.join('|')})/)`,
  message: `${room} may import ${folders.length === 0 ? 'nothing of ours' : `only ${folders.join(', ')}`}.`,
});
/** As a type is fine (an operation names its needs), as code is not. */
const typesOnly = (regex, message) => ({ regex, message, allowTypeImports: true });

const room = (files, ...patterns) => ({
  files: [files].flat(),
  rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [barrel, ...patterns] }] },
});
const sharedRoom = (name, folders, ...patterns) =>
  room(`functions/shared/${name}/**/*.ts`, ours('', folders, `functions/shared/${name}`), ...patterns);

/** What a function may import. */
const ROOMS = ['domain', 'token', 'password', 'store', 'mail', 'account', 'http', 'runtime'];

/**
 * Who may import whom (CONTRIBUTING.md, "The rooms"). Each row: a room, what of ours it may import besides itself,
 * and what it may not have of the rest. Imports point downwards only; of two rows for one file the later one counts.
 */
const rooms = [
  room('**/*.ts'),
  sharedRoom('domain', [], aws, events, jose, bcrypt, {
    regex: '^node:(?!crypto$|util$)',
    message: 'functions/shared/domain does no I/O.',
  }),
  sharedRoom('token', ['domain'], aws, events, bcrypt),
  // token for the shape of a key ring, which peppers share.
  sharedRoom('password', ['domain', 'token'], aws, events, jose),
  sharedRoom('store', ['domain'], events, jose, bcrypt),
  sharedRoom('mail', ['domain'], events, jose, bcrypt),
  // Steps that several operations have; like those they get what they need handed in.
  sharedRoom(
    'account',
    ['domain', 'mail', 'password', 'store'],
    aws,
    events,
    jose,
    bcrypt,
    typesOnly('/(store|password|mail/mailer)/?', 'A step asks for what it needs; a handler fills it in.'),
  ),
  sharedRoom('http', ['domain', 'runtime'], aws, jose, bcrypt),
  sharedRoom('runtime', ['domain'], events, jose, bcrypt),
  // One Lambda each. An operation gets what it needs handed in, so it never names the wire, the table or the process.
  room(
    'functions/!(shared)/*.ts',
    ours('shared/', ROOMS, 'A function'),
    aws,
    events,
    jose,
    bcrypt,
    typesOnly(
      '/shared/(store|http|runtime|mail/mailer)',
      'An operation asks for what it needs; its handler fills it in.',
    ),
  ),
  room('functions/!(shared)/handler.ts', ours('shared/', ROOMS, 'A function'), aws, jose, bcrypt),
  // What a browser gets: the client as applications know it, and files of its own.
  room('functions/*/page/**/*.ts', {
    regex: '^(?!\\./|latchkey-client(/cookie)?$)',
    message: 'A page imports its own files and the client.',
  }),
  // What applications install stands alone: no package, no Node.
  room('client/**/*.ts', { regex: '^(?!\\./)', message: 'The client imports its own files and nothing else.' }),
  // What is deployed shares names and settings with the functions, and takes handlers by path, never by import.
  room('infra/**/*.ts', {
    regex: '/functions/(?!shared/)',
    message: 'infra takes handlers by path, never by import.',
  }),
  room(['infra/*.ts', 'infra/bundling/**/*.ts'], {
    regex: '/functions/(?!shared/(domain/|store/schema\\.ts$))',
    message: 'The stack shares settings and table names with the functions, nothing else.',
  }),
  // The description of the API also has what a refusal is answered with, so that its examples are the real texts.
  room('infra/openapi/*.ts', {
    regex: '/functions/(?!shared/(domain/|http/(answers|titles)\\.ts$))',
    message: 'The description of the API shares reasons and answers with the functions, nothing else.',
  }),
];

const noDoubleCast = [
  { selector: 'TSAsExpression > TSAnyKeyword', message: 'No `as any`: earn the type by a check.' },
  {
    selector: 'TSAsExpression > TSAsExpression > TSUnknownKeyword',
    message: 'No `as unknown as`: earn the type by a check.',
  },
];
const noWishes = [
  {
    selector: 'TSAsExpression > CallExpression[callee.object.name="JSON"][callee.property.name="parse"]',
    message: 'Parsed JSON is unknown until it is checked.',
  },
  {
    selector: 'TSAsExpression > MemberExpression[property.name=/^(Items?|Attributes|body|payload|SecretString)$/]',
    message: 'Data from outside is unknown until it is checked.',
  },
];
const noOwnClock = [
  {
    selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
    message: 'Time is an argument; only functions/shared/runtime/ asks the clock.',
  },
  {
    selector: 'MemberExpression[object.name="Date"][property.name="now"]',
    message: 'Time is an argument; only functions/shared/runtime/ asks the clock.',
  },
  {
    selector: 'MemberExpression[object.name="process"][property.name="env"]',
    message: 'Only functions/shared/runtime/ reads the environment.',
  },
  {
    selector: 'ImportDeclaration[source.value=/^(node:)?process$/]',
    message: 'Only functions/shared/runtime/ knows the process.',
  },
];

export default defineConfig(
  { ignores: ['node_modules/', 'cdk.out/', 'coverage/', '.latchkey/', 'client/dist/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: { globals: { process: 'readonly', URL: 'readonly' } },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', ...noDoubleCast],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // An index signature may be read either way: in brackets it shows that the member may be missing.
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      // Spreading a string counts code points, which is what our length rules count.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      // `''` from the environment means "not set", which is what || says and ?? does not.
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }],
    },
  },
  {
    files: ['functions/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...noDoubleCast, ...noWishes, ...noOwnClock],
    },
  },
  {
    // A page has a browser around it, and its clock.
    files: ['functions/shared/runtime/**/*.ts', 'functions/*/page/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...noDoubleCast, ...noWishes] },
  },
  {
    files: ['**/index.ts'],
    rules: {
      'no-restricted-syntax': ['error', { selector: 'Program', message: 'No index.ts: name the file for its idea.' }],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Tests hand in what the types forbid, to see it refused.
      'no-loss-of-precision': 'off',
      'no-restricted-syntax': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-optional-chain': 'off',
      '@typescript-eslint/prefer-nullish-coalescing': 'off',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      // A module that is imported anew for each test is named by its type.
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
    },
  },
  ...rooms,
);
