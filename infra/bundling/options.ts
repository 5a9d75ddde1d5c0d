/**
 * How a function becomes one file, for deployment and for the tests alike: the stack, the budgets and the
 * package lists all call {@link bundle}.
 */
import { buildSync, type BuildOptions, type Metafile } from 'esbuild';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SigningCustody } from '../../functions/shared/domain/settings.ts';
import { openApiDocument } from '../openapi/document.ts';
import { demoPage } from './demo-page.ts';
import { docsPage } from './docs-page.ts';

export const PROJECT_ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The file Lambda loads for `index.handler`: CommonJS by its name, wherever the package.json above it says module. */
export const BUNDLE_FILE = 'index.cjs';

/** What the AWS SDK imports and these functions never use, each with what stands in for it. */
const STAND_INS = {
  '@aws-sdk/credential-provider-node': 'environment-credentials.ts',
  '@aws-sdk/middleware-endpoint-discovery': 'no-endpoint-discovery.ts',
  '@smithy/core/event-streams': 'no-event-streams.ts',
  '@aws-sdk/signature-v4-multi-region': 'one-region-signatures.ts',
};

const OPTIONS = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  // CommonJS starts 15 to 23% faster than ES modules on Lambda's Node.
  format: 'cjs',
  // Without `module` first, packages come as CommonJS, which esbuild cannot prune: half as much again.
  mainFields: ['module', 'main'],
  minify: true,
  // A linked map costs 35 to 195 ms at the first stack trace, and asset hashes would depend on the output folder.
  sourcemap: false,
  logLevel: 'warning',
  alias: Object.fromEntries(
    Object.entries(STAND_INS).map(([name, file]) => [name, fileURLToPath(new URL(file, import.meta.url))]),
  ),
  absWorkingDir: PROJECT_ROOT,
} as const satisfies BuildOptions;

/** What a function is given as a constant when it is bundled: text of a program, so a text is quoted twice. */
const CONSTANTS: Readonly<Record<string, () => Record<string, string>>> = {
  demo: () => ({ DEMO_PAGE: JSON.stringify(demoPage(PROJECT_ROOT)) }),
  openapi: () => ({ OPENAPI_DOCUMENT: JSON.stringify(JSON.stringify(openApiDocument())) }),
  docs: () => ({ DOCS: JSON.stringify(docsPage()) }),
};

/**
 * Bundles `functions/<name>/handler.ts` into a folder and says what went in.
 *
 * @param signing the deployment's setting: only where keys are in KMS, or were, is the client for it in a bundle
 */
export function bundle(name: string, folder: string, signing: SigningCustody = 'secret'): Metafile {
  return buildSync({
    ...OPTIONS,
    entryPoints: [join('functions', name, 'handler.ts')],
    outfile: join(folder, BUNDLE_FILE),
    define: { ...(signing === 'secret' && { WITHOUT_KMS: 'true' }), ...CONSTANTS[name]?.() },
    metafile: true,
  }).metafile;
}
