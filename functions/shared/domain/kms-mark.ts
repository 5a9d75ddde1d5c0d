/**
 * The tag that says which ring a key of KMS belongs to, by the ARN of the ring's secret. The template lets functions do things
 * to keys by this tag alone, so both must know it.
 */
export const RING_TAG = 'latchkey-ring';
