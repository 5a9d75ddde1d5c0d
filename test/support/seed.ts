/**
 * What properties draw their cases from: the same in every run, so that one run says of a change what another does.
 * LATCHKEY_TEST_SEED=n looks elsewhere, and finds again what was found there.
 */
export const SEED = Number(process.env['LATCHKEY_TEST_SEED'] ?? 1);
