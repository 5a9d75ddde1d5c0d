import { Unfit } from '../domain/unknown.ts';

/** Of each of the two numbers of a signature on P-256 (RFC 7518 section 3.4). */
const NUMBER_BYTES = 32;

const SEQUENCE = 0x30;
const INTEGER = 0x02;

/**
 * Makes what JWS wants of an ECDSA signature on P-256 (r and s, 32 bytes each, one after the other: RFC 7518 section 3.4)
 * out of what KMS answers (a SEQUENCE of two INTEGERs in DER: RFC 3279 section 2.2.3).
 *
 * @throws {Unfit} for anything else: another encoding of the same numbers, a zero, a negative or too large number, bytes
 *   too few or too many
 */
export function jwsSignatureFrom(der: Uint8Array): Uint8Array {
  const [tag, length] = der;
  // The longest is 70 bytes, so a length always is one byte.
  if (tag !== SEQUENCE || length !== der.length - 2) throw new Unfit('no sequence in DER');
  const r = numberAt(der, 2);
  const s = numberAt(der, r.end);
  if (s.end !== der.length) throw new Unfit('not two numbers');
  const signature = new Uint8Array(2 * NUMBER_BYTES);
  signature.set(r.bytes, NUMBER_BYTES - r.bytes.length);
  signature.set(s.bytes, 2 * NUMBER_BYTES - s.bytes.length);
  return signature;
}

/** A positive INTEGER in its one form of DER, without the zero that keeps it positive. */
function numberAt(der: Uint8Array, at: number): { readonly bytes: Uint8Array; readonly end: number } {
  const [tag, length = 0] = der.subarray(at);
  const end = at + 2 + length;
  const bytes = der.subarray(at + 2, end);
  const [first, second] = bytes;
  if (tag !== INTEGER || first === undefined || end > der.length) throw new Unfit('no number in DER');
  if (first >= 0x80) throw new Unfit('a negative number');
  if (first > 0) return { bytes: fitting(bytes), end };
  // A leading zero stands only where the next bit would say that the number is negative.
  if (second === undefined || second < 0x80) throw new Unfit('zero, or not the shortest form');
  return { bytes: fitting(bytes.subarray(1)), end };
}

function fitting(bytes: Uint8Array): Uint8Array {
  if (bytes.length > NUMBER_BYTES) throw new Unfit('a number too large');
  return bytes;
}
