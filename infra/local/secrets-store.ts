/** The texts that Secrets Manager and Parameter Store would keep: in one file of mode 0600, or in memory only. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fieldsOf, jsonOf, numberOf, textOf } from './fields.ts';
import { writePrivately } from './private-file.ts';

export interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly text: string;
  readonly versionId: string;
  /** Unix seconds. */
  readonly writtenAt: number;
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
  putSecret(secret: Secret, text: string, versionId?: string): Secret;
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
  const store: SecretsStore = {
    secret: (id) => secrets.get(id) ?? [...secrets.values()].find(({ name }) => name === id),
    parameter: (name) => parameters.get(name),
    declareSecret(arn, name, text) {
      if (secrets.has(arn)) return;
      secrets.set(arn, { arn, name, text, versionId: randomUUID(), writtenAt: now() });
      save();
    },
    declareParameter(name, text) {
      if (!parameters.has(name)) store.putParameter(name, text);
    },
    putSecret(secret, text, versionId = randomUUID()) {
      const written = { ...secret, text, versionId, writtenAt: now() };
      secrets.set(secret.arn, written);
      save();
      return written;
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
    kept.secrets.set(arn, { arn, ...common(row, file), versionId: textOf(row['versionId'], file) });
  }
  for (const row of rows(parameters, file)) {
    const one = { ...common(row, file), version: numberOf(row['version'], file) };
    kept.parameters.set(one.name, one);
  }
  return kept;
}

const rows = (list: unknown, file: string) => (Array.isArray(list) ? list : []).map((row) => fieldsOf(row, file));

const common = (row: Readonly<Record<string, unknown>>, file: string) => ({
  name: textOf(row['name'], file),
  text: textOf(row['text'], file),
  writtenAt: numberOf(row['writtenAt'], file),
});
