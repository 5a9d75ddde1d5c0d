/** The texts that Secrets Manager and Parameter Store would keep: in one file of mode 0600, or in memory only. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fieldsOf, jsonOf, listOf, numberOf, textOf } from './fields.ts';
import { writePrivately } from './private-file.ts';

/** One version of a secret, and what Secrets Manager calls its staging labels. */
export interface Version {
  readonly id: string;
  /** Undefined while a rotation has only named the version. */
  readonly text?: string;
  readonly labels: readonly string[];
  /** Unix seconds. */
  readonly writtenAt: number;
}

export interface Secret {
  readonly arn: string;
  readonly name: string;
  /** Of the current version, as are its id and time. */
  readonly text: string;
  readonly versionId: string;
  /** Unix seconds. */
  readonly writtenAt: number;
  /** All that have a label, and the newest ones without. */
  readonly versions: readonly Version[];
}

export interface Parameter {
  readonly name: string;
  readonly text: string;
  /** Counts from 1. */
  readonly version: number;
  /** Unix seconds. */
  readonly writtenAt: number;
}

export interface SecretsStore {
  /** @param id a secret's ARN or name */
  secret(id: string): Secret | undefined;
  parameter(name: string): Parameter | undefined;
  /** Makes a secret with its first text, unless it is there. */
  declareSecret(arn: string, name: string, text: string): void;
  declareParameter(name: string, text: string): void;
  /** Writes a new version and makes it current. */
  putSecret(secret: Secret, text: string, versionId?: string): Secret;
  /** Adds a version, or replaces one; a label that it has is taken from every other. */
  putVersion(secret: Secret, version: Pick<Version, 'id' | 'text' | 'labels'>): Secret;
  /** Moves a label to a version, or away from all; the version that was current becomes the previous one. */
  moveLabel(secret: Secret, label: string, to: string | undefined): Secret;
  putParameter(name: string, text: string): Parameter;
}

/** @param file where it is kept between runs; without it, in memory */
export function secretsStore(file?: string): SecretsStore {
  const { secrets, parameters } = file === undefined ? empty() : read(file);
  const now = () => Math.floor(Date.now() / 1000);
  const save = (): void => {
    if (file === undefined) return;
    const kept = { secrets: [...secrets.values()], parameters: [...parameters.values()] };
    writePrivately(file, `${JSON.stringify(kept, null, 2)}\n`);
  };
  const keep = (secret: Secret): Secret => {
    secrets.set(secret.arn, secret);
    save();
    return secret;
  };
  const store: SecretsStore = {
    secret: (id) => secrets.get(id) ?? [...secrets.values()].find(({ name }) => name === id),
    parameter: (name) => parameters.get(name),
    declareSecret(arn, name, text) {
      if (secrets.has(arn)) return;
      const current = { id: randomUUID(), text, labels: [CURRENT], writtenAt: now() };
      keep({ arn, name, ...currentOf([current]), versions: [current] });
    },
    declareParameter(name, text) {
      if (!parameters.has(name)) store.putParameter(name, text);
    },
    putSecret: (secret, text, id = randomUUID()) =>
      store.moveLabel(store.putVersion(secret, { id, text, labels: [] }), CURRENT, id),
    putVersion(secret, { id, text, labels }) {
      const version = { id, ...(text !== undefined && { text }), labels, writtenAt: now() };
      const others = secret.versions
        .filter((one) => one.id !== id)
        .map((one) => ({ ...one, labels: one.labels.filter((label) => !labels.includes(label)) }));
      return keep({ ...secret, ...versionsOf([...others, version]) });
    },
    moveLabel(secret, label, to) {
      const moved = secret.versions.map((one) => {
        const labels = one.labels.filter((each) => each !== label && (label !== CURRENT || each !== PREVIOUS));
        if (one.id === to) return { ...one, labels: [...labels, label] };
        return one.labels.includes(label) && label === CURRENT
          ? { ...one, labels: [...labels, PREVIOUS] }
          : { ...one, labels };
      });
      return keep({ ...secret, ...versionsOf(moved) });
    },
    putParameter(name, text) {
      const written = { name, text, version: (parameters.get(name)?.version ?? 0) + 1, writtenAt: now() };
      parameters.set(name, written);
      save();
      return written;
    },
  };
  return store;
}

export const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';
/** Versions without a label that are kept, the newest first; Secrets Manager keeps them for a day at least. */
const UNLABELLED_KEPT = 20;

function currentOf(versions: readonly Version[]): Pick<Secret, 'text' | 'versionId' | 'writtenAt'> {
  const {
    id,
    text = '',
    writtenAt,
  } = versions.find(({ labels }) => labels.includes(CURRENT)) ?? {
    id: '',
    writtenAt: 0,
  };
  return { text, versionId: id, writtenAt };
}

function versionsOf(versions: readonly Version[]) {
  const surplus = versions.filter(({ labels }) => labels.length === 0).slice(0, -UNLABELLED_KEPT);
  return { ...currentOf(versions), versions: versions.filter((one) => !surplus.includes(one)) };
}

const empty = () => ({ secrets: new Map<string, Secret>(), parameters: new Map<string, Parameter>() });

function read(file: string): ReturnType<typeof empty> {
  const kept = empty();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return kept;
  }
  const { secrets, parameters } = fieldsOf(jsonOf(text, file), file);
  for (const row of rows(secrets, file)) {
    const arn = textOf(row['arn'], file);
    const versionId = textOf(row['versionId'], file);
    const current = common(row, file);
    const only = { id: versionId, text: current.text, labels: [CURRENT], writtenAt: current.writtenAt };
    // A file from before there were versions has the current one alone.
    const versions =
      row['versions'] === undefined ? [only] : rows(row['versions'], file).map((one) => version(one, file));
    kept.secrets.set(arn, { arn, ...current, versionId, versions });
  }
  for (const row of rows(parameters, file)) {
    const one = { ...common(row, file), version: numberOf(row['version'], file) };
    kept.parameters.set(one.name, one);
  }
  return kept;
}

const rows = (list: unknown, file: string) => (Array.isArray(list) ? list : []).map((row) => fieldsOf(row, file));

const version = (row: Readonly<Record<string, unknown>>, file: string): Version => ({
  id: textOf(row['id'], file),
  ...(row['text'] !== undefined && { text: textOf(row['text'], file) }),
  labels: listOf(row['labels'], file).map((label) => textOf(label, file)),
  writtenAt: numberOf(row['writtenAt'], file),
});

const common = (row: Readonly<Record<string, unknown>>, file: string) => ({
  name: textOf(row['name'], file),
  text: textOf(row['text'], file),
  writtenAt: numberOf(row['writtenAt'], file),
});
