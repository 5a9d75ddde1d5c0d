import type { Document } from '../shared/domain/document.ts';
import { SIGNING_ALGORITHMS } from '../shared/domain/settings.ts';
import type { Seconds } from '../shared/domain/time.ts';
import type { KeySet } from '../shared/token/public-keys.ts';

/** Short beside the time a key is published before it signs, so that a cached set never misses the key of a token. */
export const CACHED_FOR_SECONDS: Seconds = 300;

/** The key set (RFC 7517 section 8.5.2 names its media type). */
export const keySetDocument = (keys: KeySet): Document => documentOf('application/jwk-set+json', keys);

/**
 * The metadata of both discovery standards (OpenID Connect Discovery section 3, RFC 8414 section 2), as far as it is true
 * of us: who issues, where the keys are and what may sign. We have no authorization endpoint and no grant of OAuth's, so
 * `response_types_supported`, which both require, and `grant_types_supported`, which would have a default, are empty.
 * Both standards say elsewhere to leave empty lists out; a parser that misses a required member refuses the document.
 */
export const metadataDocument = (issuer: string): Document =>
  documentOf('application/json', {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    response_types_supported: [],
    grant_types_supported: [],
    subject_types_supported: ['public'],
    // We issue no ID tokens. Verifiers read here what may have signed a token of this issuer, now or after a change.
    id_token_signing_alg_values_supported: SIGNING_ALGORITHMS,
    // Left out, it would mean yes.
    request_uri_parameter_supported: false,
  });

const documentOf = (mediaType: string, content: object): Document => ({ mediaType, text: JSON.stringify(content) });
