/**
 * The synthesized template, made by the very app that cdk.json starts and read as plain data: `Ref` and
 * `Fn::GetAtt` become `${Users}` and `${Users.Arn}`, named by the construct's path, and joins become texts.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export type Context = Readonly<Record<string, unknown>>;
type Members = Readonly<Record<string, unknown>>;

export interface Resource {
  /** Path of the construct below the stack: `Users`, `LoginRole/DefaultPolicy`, `Api/Default/api/token/POST`. */
  readonly path: string;
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Members;
  readonly deletionPolicy: unknown;
  readonly dependsOn: readonly string[];
}

export interface Template {
  readonly resources: readonly Resource[];
  readonly outputs: Members;
  /** What CloudFormation puts on every resource. */
  readonly tags: Members;
  /** Exactly as synthesized. */
  readonly text: string;
  /** Properties of one resource. @throws {Error} where there is none of that path */
  at(path: string): Members;
  ofType(type: string): readonly Resource[];
}

export interface Synthesis {
  readonly status: number | null;
  readonly errors: string;
  /** Where the cloud assembly is; the caller removes it. */
  readonly folder: string;
}

/** A new folder for a cloud assembly; the caller removes it. */
export const folderForSynthesis = () => mkdtempSync(join(tmpdir(), 'latchkey-synth-'));

/** The context the CDK CLI gives: that of cdk.json, and more. @param bundled whether the functions are bundled too */
export function contextOf(context: Context, bundled: boolean): Context {
  const { context: ofProject } = membersOf(JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')));
  return {
    ...membersOf(ofProject),
    'aws:cdk:enable-path-metadata': true,
    ...(bundled ? {} : { 'aws:cdk:bundling-stacks': [] }),
    ...context,
  };
}

/** Where test/run.ts has the syntheses of one run, which many test files ask for; none where jest was started by itself. */
const { LATCHKEY_TEST_SYNTHESES: SYNTHESES } = process.env;

/**
 * The app as the CDK CLI runs it: a copy of what this run of the tests synthesized before, if it did.
 *
 * @param bundled whether the functions are bundled too, which takes seconds
 */
export function synthesize(context: Context, bundled: boolean): Synthesis {
  if (SYNTHESES === undefined) return synthesizeIn(folderForSynthesis(), context, bundled);
  const key = createHash('sha256')
    .update(JSON.stringify([context, bundled]))
    .digest('hex');
  const kept = join(SYNTHESES, key);
  if (!existsSync(kept)) {
    const made = synthesizeIn(mkdtempSync(`${kept}-`), context, bundled);
    if (made.status !== 0) return made;
    keep(made.folder, kept);
  }
  const folder = folderForSynthesis();
  cpSync(kept, folder, { recursive: true });
  return { status: 0, errors: '', folder };
}

/** Whole or not at all; another worker's is the same. */
function keep(folder: string, kept: string): void {
  try {
    renameSync(folder, kept);
  } catch (error) {
    if (!existsSync(kept)) throw error;
    rmSync(folder, { recursive: true });
  }
}

/** Runs the app, whatever was synthesized before. */
export function synthesizeIn(folder: string, context: Context, bundled: boolean): Synthesis {
  const env = {
    ...process.env,
    CDK_CONTEXT_JSON: JSON.stringify(contextOf(context, bundled)),
    CDK_OUTDIR: folder,
    // The library's own validation takes three times as long as the rest; it judges what cdk-nag sees.
    CDK_VALIDATION: 'false',
  };
  const { status, stderr } = spawnSync(process.execPath, ['infra/app.ts'], { cwd: root, env, encoding: 'utf8' });
  return { status, errors: stderr, folder };
}

const made = new Map<string, Template>();

/** The template of a context, made once for each test file. @throws {Error} where it does not synthesize */
export function templateFor(context: Context = {}): Template {
  const key = JSON.stringify(context);
  const before = made.get(key);
  if (before !== undefined) return before;
  const { status, errors, folder } = synthesize(context, false);
  try {
    if (status !== 0) throw new Error(errors);
    const template = templateIn(folder, typeof context['env'] === 'string' ? context['env'] : 'dev');
    made.set(key, template);
    return template;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Reads the template of an environment from a cloud assembly. */
export function templateIn(folder: string, environment: string): Template {
  const stack = `Latchkey-${environment}`;
  const text = readFileSync(join(folder, `${stack}.template.json`), 'utf8');
  const document = membersOf(JSON.parse(text));
  const entries = Object.entries(membersOf(document['Resources']));
  const paths = new Map(entries.map(([logicalId, resource]) => [logicalId, pathOf(stack, membersOf(resource))]));
  const nameOf = (logicalId: string) => paths.get(logicalId) ?? logicalId;

  const resources = entries.map(([logicalId, value]): Resource => {
    const resource = membersOf(value);
    return {
      path: nameOf(logicalId),
      logicalId,
      type: String(resource['Type']),
      properties: membersOf(plain(resource['Properties'] ?? {}, nameOf)),
      deletionPolicy: resource['DeletionPolicy'],
      dependsOn: listOf(resource['DependsOn'] ?? []).map((one) => nameOf(String(one))),
    };
  });
  const manifest = membersOf(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
  const deployed = membersOf(membersOf(membersOf(manifest['artifacts'])[stack])['properties']);
  return {
    resources,
    outputs: membersOf(plain(document['Outputs'], nameOf)),
    tags: membersOf(deployed['tags']),
    text,
    at(path) {
      const found = resources.find((resource) => resource.path === path);
      if (found === undefined) throw new Error(`The template has no ${path}.`);
      return found.properties;
    },
    ofType: (type) => resources.filter((resource) => resource.type === type),
  };
}

/** The members of an object. @throws {TypeError} for anything else */
export function membersOf(value: unknown): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('not an object');
  return Object.fromEntries(Object.entries(value));
}

/** The items of a list; what CloudFormation allows to stand alone is a list of one. */
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

function pathOf(stack: string, resource: Members): string {
  const path = membersOf(resource['Metadata'] ?? {})['aws:cdk:path'];
  if (typeof path !== 'string') return '';
  return path.replace(`${stack}/`, '').replace(/\/(Resource|Default)$/, '');
}

function plain(value: unknown, nameOf: (logicalId: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => plain(item, nameOf));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, member]): [string, unknown] => [name, plain(member, nameOf)]);
  const [first] = entries;
  if (first === undefined || entries.length > 1) return Object.fromEntries(entries);
  const [name, argument] = first;
  if (name === 'Ref') return `\${${nameOf(String(argument))}}`;
  if (name === 'Fn::GetAtt' && Array.isArray(argument)) {
    const [logicalId, attribute] = argument.map(String);
    return `\${${nameOf(logicalId ?? '')}.${attribute ?? ''}}`;
  }
  if (name === 'Fn::Join' && Array.isArray(argument)) {
    const [separator, parts] = listOf(argument);
    const texts = listOf(parts);
    if (texts.every((part) => typeof part === 'string')) return texts.join(String(separator));
  }
  return Object.fromEntries(entries);
}
