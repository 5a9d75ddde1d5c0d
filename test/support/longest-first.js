import Sequencer from '@jest/test-sequencer';

/**
 * The files that take longest, the longest first. Where no durations are known, as in a fresh clone, jest goes by the size of
 * files, and one of these begun last keeps a single worker busy for minutes.
 */
const LONGEST = [
  'functions/concurrency',
  'functions/session-model',
  'browser/chromium',
  'functions/faults',
  'infra/cli/transfer',
  'functions/shared/domain/session-model',
  'client/cookie',
  'infra/bundles',
  'end-to-end/rotation',
  'functions/rotate-keys/rotate-keys',
  'end-to-end/main-job',
  'infra/cli/keys',
  'infra/cli/password-input',
  'infra/local/start',
  'functions/shared/store/outages',
].map((name) => `/test/${name}.test.ts`);

const rank = ({ path }) => {
  const at = LONGEST.findIndex((end) => path.endsWith(end));
  return at < 0 ? LONGEST.length : at;
};

export default class LongestFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).toSorted((one, other) => rank(one) - rank(other));
  }
}
