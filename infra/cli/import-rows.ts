/** The rows of a file of users, read one by one, so that a file may be larger than the memory. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { CsvError, parse } from 'csv-parse';
import { isMembers, type Members } from '../../functions/shared/domain/unknown.ts';
import { Complaint } from '../local/complaint.ts';

/** A row as it stands in the file, or why it is none. */
export interface Row {
  /** Of its first line in the file, counted from 1. */
  readonly line: number;
  readonly fields: Members | undefined;
  /** Bytes of the file that are read by now. */
  readonly read: number;
}

/**
 * Rows of a CSV file with a header line (`.csv`), or of a file with a JSON object in each line (any other).
 *
 * @throws {Complaint} where the file cannot be read, or is no CSV from some line on
 */
export const rowsIn = (file: string): AsyncGenerator<Row> => (/\.csv$/i.test(file) ? csvRows(file) : jsonRows(file));

async function* jsonRows(file: string): AsyncGenerator<Row> {
  const stream = createReadStream(file, 'utf8');
  let line = 0;
  try {
    for await (const text of createInterface({ input: stream, crlfDelay: Infinity })) {
      line += 1;
      if (text.trim() !== '') yield { line, fields: objectIn(text), read: stream.bytesRead };
    }
  } catch (error) {
    throw unreadable(file, error);
  }
}

function objectIn(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMembers(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

async function* csvRows(file: string): AsyncGenerator<Row> {
  const stream = createReadStream(file);
  const parser = parse({ columns: true, bom: true, info: true, skip_empty_lines: true });
  stream.on('error', (error) => parser.destroy(error));
  try {
    for await (const one of stream.pipe(parser) as AsyncIterable<{ record: Members; info: { lines: number } }>) {
      // An empty cell is no value: CSV has no other way to say so.
      const fields = Object.fromEntries(Object.entries(one.record).filter(([, value]) => value !== ''));
      yield { line: one.info.lines, fields, read: stream.bytesRead };
    }
  } catch (error) {
    if (error instanceof CsvError) throw new Complaint(`${file} is no CSV from line ${String(error['lines'])} on.`);
    throw unreadable(file, error);
  } finally {
    stream.destroy();
  }
}

function unreadable(file: string, error: unknown): unknown {
  const isOfFile = error instanceof Error && 'code' in error && 'syscall' in error;
  return isOfFile ? new Complaint(`${file} cannot be read (${String(error.code)}).`) : error;
}
