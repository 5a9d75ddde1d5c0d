import { createHash } from 'node:crypto';
import { stripTypeScriptTypes } from 'node:module';

/** Jest's transform for .ts: Node's own, which puts blanks for types, so that coverage needs no source map. */
export default {
  process: (source: string) => ({ code: stripTypeScriptTypes(source, { mode: 'strip' }) }),
  getCacheKey: (source: string, path: string, { instrument }: { readonly instrument: boolean }) =>
    createHash('sha256')
      .update(`${process.version}\0${String(instrument)}\0${path}\0${source}`)
      .digest('hex'),
};
