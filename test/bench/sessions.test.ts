import { describe, expect, test } from '@jest/globals';
import { figuresOf, mean, percentile } from './session-week/figures.ts';
import { rotationWithGrace, thisRule } from './session-week/rules.ts';
import type { ThiefKind } from './session-week/thief.ts';

const SEED = 'small';
const WEEKS = 150;
const strict = rotationWithGrace(0);
const grace = rotationWithGrace(60);

const honest = (tabs: number) => ({ tabs, twoAddresses: tabs > 1, calm: false });
const robbed = (thief: ThiefKind) => ({ tabs: 1, twoAddresses: false, calm: true, thief });

describe('in a week of flaky networks', () => {
  test('this rule loses one session in fifty at the most, where strict rotation loses most of them', () => {
    expect(figuresOf(thisRule, honest(1), WEEKS, SEED).lost).toBeLessThanOrEqual(WEEKS / 50);
    expect(figuresOf(strict, honest(1), WEEKS, SEED).lost).toBeGreaterThan(WEEKS / 2);
    expect(figuresOf(grace, honest(1), WEEKS, SEED).lost).toBeGreaterThan(WEEKS / 10);
  });

  test('with three unlocked tabs on two addresses it loses few, where strict rotation loses all', () => {
    const { lost, losses, refreshes } = figuresOf(thisRule, honest(3), WEEKS, SEED);
    expect(lost).toBeLessThanOrEqual(WEEKS / 20);
    // Each in a way that has a name.
    expect(Object.values(losses).reduce((sum, count) => sum + count, 0)).toBe(lost);
    expect(refreshes).toBeGreaterThan(WEEKS * 50);
    expect(figuresOf(strict, honest(3), WEEKS, SEED).lost).toBe(WEEKS);
  });
});

describe('a thief', () => {
  test.each<ThiefKind>(['independent', 'later', 'shadow'])('of the kind "%s" is always found by this rule', (thief) => {
    const { thefts, neverFound, foundAfter } = figuresOf(thisRule, robbed(thief), WEEKS, SEED);
    expect(thefts).toBeGreaterThan(WEEKS / 2);
    expect({ neverFound, found: foundAfter.length }).toEqual({ neverFound: 0, found: thefts });
  });

  test('that shadows the victim gets one pair, where a grace window never finds it', () => {
    expect(figuresOf(thisRule, robbed('shadow'), WEEKS, SEED).pairs).toBeLessThan(1.1);
    const { thefts, neverFound, pairs } = figuresOf(grace, robbed('shadow'), WEEKS, SEED);
    expect(neverFound).toBeGreaterThan(0.95 * thefts);
    expect(pairs).toBeGreaterThan(50);
  });

  test('that also looks like the victim is what this rule cannot see', () => {
    const { thefts, neverFound } = figuresOf(thisRule, robbed('shadow in disguise'), WEEKS, SEED);
    expect(neverFound).toBeGreaterThan(0.95 * thefts);
  });
});

test('the same seed brings the same week, another one another', () => {
  const week = (seed: string) => figuresOf(thisRule, robbed('independent'), 5, seed);
  expect(week(SEED)).toEqual(week(SEED));
  expect(week('other')).not.toEqual(week(SEED));
});

test('the mean and the percentiles of figures are what they are', () => {
  const values = Array.from({ length: 20 }, (_, index) => index + 1);
  expect([mean(values), percentile(values, 95), percentile(values, 100), percentile([], 95)]).toEqual([
    10.5,
    19,
    20,
    undefined,
  ]);
});
