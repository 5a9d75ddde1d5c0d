import { beforeAll, expect, test } from '@jest/globals';
import { signingRingFrom, type SigningKey } from '../../../../functions/shared/token/key-ring.ts';
import { arePublished, publish, publishCurrent } from '../../../../functions/shared/token/publication.ts';
import { START } from '../../../support/clock.ts';
import { memorySecret, memoryText, OPEN } from '../../../support/kept.ts';
import { newKeyTexts, type KeyTexts } from '../../../support/keys.ts';

let first: KeyTexts;
let second: KeyTexts;
let both: readonly SigningKey[];
beforeAll(async () => {
  [first, second] = await Promise.all([newKeyTexts(), newKeyTexts()]);
  both = [...signingRingFrom(first.signing), ...signingRingFrom(second.signing)];
});

/** @param published what the parameter holds */
const needsWith = (published?: string) => {
  const text = memoryText('public', published);
  return { needs: { now: () => START, publicKeys: text.through(OPEN) }, text };
};

test('keys are published once everybody can read each of them', async () => {
  const { needs } = needsWith(first.published);
  expect(await arePublished(signingRingFrom(first.signing), needs)).toBe(true);
  expect(await arePublished(both, needs)).toBe(false);
  await publish(both, needs);
  expect(await arePublished(both, needs)).toBe(true);
});

test('a key that has ended need not be', async () => {
  const [one, other] = both;
  const { needs } = needsWith(first.published);
  expect(await arePublished([one!, { ...other!, endsAt: START }], needs)).toBe(true);
});

test.each([undefined, '', 'not yet', '{"keys":[]}'])('where there is %j nothing is published', async (published) => {
  expect(await arePublished(both, needsWith(published).needs)).toBe(false);
});

test('a secret that holds no ring yet publishes nothing, and one that has it what everybody reads', async () => {
  const { needs, text } = needsWith();
  await publishCurrent({ ...needs, signingKeys: memorySecret('signing', 'made by CloudFormation').through(OPEN) });
  expect(text.text()).toBe('');
  await publishCurrent({ ...needs, signingKeys: memorySecret('signing', first.signing).through(OPEN) });
  expect(text.text()).toBe(first.published);
});
