import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildSync } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { membersOf } from '../support/template.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const folder = mkdtempSync(join(tmpdir(), 'latchkey-client-'));
/** The package as it would be published. */
const published = join(folder, 'node_modules', 'latchkey-client');
let tarball: Buffer;

beforeAll(() => {
  mkdirSync(published, { recursive: true });
  for (const file of ['package.json', 'README.md']) cpSync(join(root, 'client', file), join(published, file));
  run(tsc, '-p', join(root, 'client'), '--outDir', join(published, 'dist'));
  const npm = process.env['npm_execpath'];
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
  if (npm === undefined) execFileSync('npm', pack, { cwd: published });
  else execFileSync(process.execPath, [npm, ...pack], { cwd: published });
  tarball = readFileSync(
    join(
      folder,
      readdirSync(folder).find((name) => name.endsWith('.tgz'))!,
    ),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(script: string, ...args: string[]): void {
  try {
    execFileSync(process.execPath, [script, ...args], { cwd: folder, encoding: 'utf8' });
  } catch (error) {
    throw new Error((error as { stdout: string }).stdout, { cause: error });
  }
}

describe('the published client', () => {
  test('has nothing that publint would change', async () => {
    const { messages, pkg } = await publint({ pkgDir: published, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test('has types that every resolution of ES modules finds', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
    expect(analysis.types).toBeTruthy();
    const { problems } = analysis as { problems: { kind: string; resolutionKind?: string }[] };
    // It is an ES module and says so: what `require` makes of that depends on who requires.
    const isOurs = ({ resolutionKind }: { resolutionKind?: string }) =>
      resolutionKind === undefined || ['node16-esm', 'bundler'].includes(resolutionKind);
    expect(problems.filter(isOurs)).toEqual([]);
  });

  test('depends on nothing and carries its own files alone', () => {
    const { dependencies, peerDependencies } = membersOf(
      JSON.parse(readFileSync(join(published, 'package.json'), 'utf8')),
    );
    expect([dependencies, peerDependencies]).toEqual([undefined, undefined]);
    const files = readdirSync(join(published, 'dist'));
    expect(files.filter((name) => !/\.(js|d\.ts)$/.test(name))).toEqual([]);
  });

  const app = (entry: string) =>
    `import { createClient } from '${entry}'; export const auth = createClient({ baseUrl: 'https://auth.example.com' });`;

  test.each([
    ['as a whole', "export * from 'latchkey-client';"],
    ['in an application whose refresh token is in a cookie', app('latchkey-client/cookie')],
    ['as a whole, for cookies', "export * from 'latchkey-client/cookie';"],
  ])('weighs at most 3 kB %s, minified and gzipped', (_what, contents) => {
    const { outputFiles } = buildSync({
      stdin: { contents, resolveDir: folder },
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      write: false,
    });
    expect(gzipSync(outputFiles[0]!.contents, { level: 9 }).length).toBeLessThanOrEqual(3 * 1024);
  });

  test('carries nothing of cookies where they are not used, and nothing of storage where they are', () => {
    const filesIn = (contents: string) => {
      const { metafile } = buildSync({
        stdin: { contents, resolveDir: folder },
        bundle: true,
        format: 'esm',
        write: false,
        metafile: true,
      });
      const inputs = Object.entries(Object.values(metafile.outputs)[0]!.inputs);
      return inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path.split('/').at(-1));
    };
    const inBody = filesIn(app('latchkey-client'));
    const inCookie = filesIn(app('latchkey-client/cookie'));
    expect(inBody.filter((file) => ['cookie.js', 'tabs.js', 'debt.js'].includes(String(file)))).toEqual([]);
    expect(inCookie.filter((file) => ['client.js', 'storage.js'].includes(String(file)))).toEqual([]);
    expect([inBody.includes('client.js'), inCookie.includes('cookie.js')]).toEqual([true, true]);
  });

  test.each([
    ['a page', { lib: ['es2022', 'dom'], types: [] }],
    ['Node', { lib: ['es2022'], types: ['node'], typeRoots: [join(root, 'node_modules', '@types')] }],
  ])('compiles in the strict TypeScript of %s', (_where, options) => {
    writeFileSync(
      join(folder, 'use.ts'),
      `import { createClient, memoryStorage, webStorage, LatchkeyError, type Session, type SessionStorage } from 'latchkey-client';
       import { createClient as createCookieClient, type CookieClient } from 'latchkey-client/cookie';
       const keychain: SessionStorage = { read: async () => null, write: async (_text) => {} };
       for (const storage of [webStorage(), webStorage('other'), memoryStorage(), keychain]) {
         const client = createClient({ baseUrl: 'https://auth.example', storage, fetch });
         const stop: () => void = client.subscribe((session: Session) => { if (session.status === 'in') session.userId?.trim(); });
         const answer: Promise<Response> = client.fetch(new URL('https://auth.example/'), { method: 'POST' });
         answer.catch((error: unknown) => { if (error instanceof LatchkeyError && error.kind === 'unavailable') stop(); });
         void client.changePassword({ current_password: 'a', new_password: 'b' });
         // @ts-expect-error a login needs a password
         void client.login({ username: 'ada' });
       }
       const inCookie: CookieClient = createCookieClient({ baseUrl: 'https://auth.example' });
       const either: CookieClient = createClient({ baseUrl: 'https://auth.example' });
       for (const client of [inCookie, either]) void client.login({ username: 'ada', password: 'b' });
       // @ts-expect-error no answer but its own brings its cookie
       void inCookie.adopt;`,
    );
    const compilerOptions = { strict: true, noEmit: true, target: 'es2022', module: 'nodenext', ...options };
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
    run(tsc, '-p', folder);
  });

  test('runs as it is', () => {
    writeFileSync(
      join(folder, 'use.mjs'),
      `import { createClient, LatchkeyError } from 'latchkey-client';
       const client = createClient({ baseUrl: 'http://127.0.0.1:9' });
       if ((await client.ready()).status !== 'out') process.exit(1);
       const error = await client.login({ username: 'ada', password: 'x' }).catch((error) => error);
       process.exit(error instanceof LatchkeyError && error.kind === 'unavailable' ? 0 : 1);`,
    );
    run(join(folder, 'use.mjs'));
  });

  test('keeps no process alive where a server renders a page', () => {
    writeFileSync(
      join(folder, 'render.mjs'),
      `import { createClient } from 'latchkey-client/cookie';
       const client = createClient({ baseUrl: 'http://127.0.0.1:9' });
       if (client.session.status !== 'unknown') process.exit(1);`,
    );
    execFileSync(process.execPath, [join(folder, 'render.mjs')], { timeout: 120_000 });
  });
});
