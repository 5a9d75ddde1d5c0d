import { expect, test } from '@jest/globals';
import { Linter, type Linter as Rules } from 'eslint';

/** The project's own rules, without those that need the types of the whole project. */
const file: string = new URL('../eslint.config.js', import.meta.url).href;
const project = (await import(file)) as { default: Rules.Config[] };
const config = project.default.map(({ rules = {}, languageOptions, ...rest }): Rules.Config => ({
  ...rest,
  ...(languageOptions !== undefined && {
    languageOptions: { ...languageOptions, parserOptions: { projectService: false } },
  }),
  rules: Object.fromEntries(Object.entries(rules).filter(([name]) => /no-restricted-|no-console/.test(name))),
}));

/** What the linter says of a line in a file. */
const saidOf = (file: string, line: string) =>
  new Linter({ configType: 'flat' }).verify(line, config, file).map(({ message }) => message);

test.each([
  ['functions/shared/domain/user.ts', "import '../store/users.ts';", 'nothing of ours'],
  ['functions/shared/domain/user.ts', "import 'node:fs';", 'does no I/O'],
  ['functions/shared/domain/user.ts', "import 'jose';", 'stays in functions/shared/token'],
  ['functions/shared/token/sign.ts', "import '../store/users.ts';", 'may import only domain'],
  ['functions/shared/token/sign.ts', "import '../../login/login.ts';", 'may import only domain'],
  ['functions/shared/token/sign.ts', "import '@aws-sdk/client-dynamodb';", 'The AWS SDK stays in'],
  ['functions/shared/store/users.ts', "import '../http/body.ts';", 'may import only domain'],
  ['functions/shared/store/users.ts', "import type { Context } from 'aws-lambda';", 'AWS event types stay in'],
  ['functions/shared/mail/mailer.ts', "import '../store/users.ts';", 'may import only domain'],
  ['functions/shared/account/post.ts', "import '../http/body.ts';", 'may import only domain, mail, password, store'],
  ['functions/shared/account/post.ts', "import { codePutter } from '../store/codes.ts';", 'a handler fills it in'],
  ['functions/shared/account/post.ts', "import { mailerFrom } from '../mail/mailer.ts';", 'a handler fills it in'],
  ['functions/account/change.ts', "import { mailerFrom } from '../shared/mail/mailer.ts';", 'its handler fills it in'],
  ['functions/shared/http/body.ts', "import '../store/users.ts';", 'may import only domain, runtime'],
  ['functions/shared/http/body.ts', "import 'bcryptjs';", 'stays in functions/shared/password'],
  ['functions/shared/runtime/env.ts', "import '../../../infra/tables.ts';", 'may import only'],
  ['functions/login/handler.ts', "import '../refresh/refresh.ts';", 'A function may import only'],
  ['functions/login/handler.ts', "import '../../infra/tables.ts';", 'may import only'],
  ['functions/login/handler.ts', "import '@aws-sdk/lib-dynamodb';", 'The AWS SDK stays in'],
  ['functions/login/login.ts', "import type { APIGatewayProxyEvent } from 'aws-lambda';", 'AWS event types stay in'],
  ['functions/login/login.ts', "import { userFinder } from '../shared/store/users.ts';", 'its handler fills it in'],
  ['functions/make-keys/handler.ts', "import '@aws-sdk/client-ssm';", 'The AWS SDK stays in'],
  ['functions/rotate-keys/handler.ts', "import '../make-keys/make-keys.ts';", 'A function may import only'],
  ['functions/login/login.ts', "import './index.ts';", 'no index.ts'],
  ['functions/login/index.ts', 'export {};', 'name the file for its idea'],
  ['functions/login/login.ts', 'const now = Date.now();', 'Time is an argument'],
  ['functions/login/login.ts', 'const now = new Date();', 'Time is an argument'],
  ['functions/login/login.ts', 'const name = process.env.NAME;', 'reads the environment'],
  ['functions/login/login.ts', "import { env } from 'node:process';", 'knows the process'],
  ['functions/login/login.ts', 'console.log(1);', 'Unexpected console statement'],
  ['functions/login/login.ts', 'const a = JSON.parse(b) as string[];', 'unknown until it is checked'],
  ['functions/login/login.ts', 'const a = answer.Item as User;', 'unknown until it is checked'],
  ['functions/login/login.ts', 'const a = b as unknown as User;', 'earn the type by a check'],
  ['infra/tables.ts', "import '../functions/shared/store/users.ts';", 'shares settings and table names'],
  ['infra/tables.ts', "import '../functions/login/handler.ts';", 'shares settings and table names'],
  ['infra/cli/users.ts', "import '../../functions/login/handler.ts';", 'takes handlers by path'],
  ['infra/openapi/document.ts', "import '../../functions/shared/http/reply.ts';", 'shares reasons and answers'],
  ['functions/demo/page/page.ts', "import '../../shared/http/body.ts';", 'its own files and the client'],
  ['functions/demo/page/page.ts', "import 'jose';", 'its own files and the client'],
  ['functions/demo/page/page.ts', 'console.log(1);', 'Unexpected console statement'],
  ['client/src/client.ts', "import '../../functions/shared/domain/ids.ts';", 'its own files and nothing else'],
  ['client/src/client.ts', "import 'jose';", 'its own files and nothing else'],
  ['client/src/client.ts', "import 'node:fs';", 'its own files and nothing else'],
])('%s may not hold %s', (file, line, words) => {
  expect(saidOf(file, line)).toEqual([expect.stringContaining(words)]);
});

test.each([
  ['functions/shared/domain/user.ts', "import './ids.ts';"],
  ['functions/shared/password/hash.ts', "import 'bcryptjs'; import '../token/key-ring.ts';"],
  ['functions/shared/store/users.ts', "import '@aws-sdk/lib-dynamodb'; import '../domain/user.ts';"],
  ['functions/shared/mail/mailer.ts', "import '@aws-sdk/client-sesv2'; import '../domain/profile-fields.ts';"],
  [
    'functions/shared/account/post.ts',
    "import type { SendMail } from '../mail/mailer.ts'; import '../mail/letters.ts'; import '../domain/code.ts';",
  ],
  ['functions/account/change.ts', "import '../shared/account/post.ts'; import '../shared/mail/letters.ts';"],
  ['functions/shared/runtime/clock.ts', 'export const now = Date.now() + new Date() + process.env.NOW;'],
  [
    'functions/login/handler.ts',
    "import './login.ts'; import '../shared/store/users.ts'; import type {} from 'aws-lambda';",
  ],
  ['functions/login/login.ts', "import type { FindUser } from '../shared/store/users.ts';"],
  ['functions/shared/runtime/key-store.ts', "import '@aws-sdk/client-ssm'; import '../domain/kept.ts';"],
  ['infra/tables.ts', "import '../functions/shared/store/schema.ts'; import '../functions/shared/domain/settings.ts';"],
  ['infra/cli/accounts.ts', "import '../../functions/shared/store/users.ts';"],
  ['infra/openapi/document.ts', "import '../../functions/shared/http/answers.ts'; import '../endpoints.ts';"],
  [
    'functions/demo/page/page.ts',
    "import 'latchkey-client'; import 'latchkey-client/cookie'; import './api.ts'; export const now = Date.now();",
  ],
  ['client/src/client.ts', "import './storage.ts';"],
])('%s may hold %s', (file, line) => {
  expect(saidOf(file, line)).toEqual([]);
});
