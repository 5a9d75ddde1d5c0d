import type { Loss } from '../../support/session-model/honest.ts';
import type { Rule } from './rules.ts';
import { aSessionsWeek, type Outcome, type Usage } from './week.ts';

/** What became of many sessions of one kind, a week each. */
export interface Figures {
  readonly weeks: number;
  readonly refreshes: number;
  /** Sessions that their honest device lost, and by which schedules. */
  readonly lost: number;
  readonly losses: Readonly<Partial<Record<Loss, number>>>;
  /** Of the sessions whose token a thief used. */
  readonly thefts: number;
  readonly neverFound: number;
  /** Seconds until the others were found, rising. */
  readonly foundAfter: readonly number[];
  /** Pairs that thieves were given, on average. */
  readonly pairs: number;
}

export function figuresOf(rule: Rule, usage: Usage, weeks: number, seed: string): Figures {
  const name = [usage.tabs, usage.twoAddresses, usage.calm, usage.thief].join(' ');
  const outcomes = Array.from({ length: weeks }, (_, week) => aSessionsWeek(rule, usage, `${seed} ${name} ${week}`));
  const thefts = outcomes.flatMap(({ theft }) => (theft === undefined ? [] : [theft]));
  const found = thefts.flatMap(({ foundAfter }) => (foundAfter === undefined ? [] : [foundAfter]));
  return {
    weeks,
    refreshes: sum(outcomes.map(({ refreshes }) => refreshes)),
    lost: outcomes.filter(({ lostAfter }) => lostAfter !== undefined).length,
    losses: countedLosses(outcomes),
    thefts: thefts.length,
    neverFound: thefts.length - found.length,
    foundAfter: found.toSorted((one, other) => one - other),
    pairs: sum(thefts.map(({ pairs }) => pairs)) / thefts.length,
  };
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

export const mean = (values: readonly number[]): number => sum(values) / values.length;

/** @param values rising */
export const percentile = (values: readonly number[], percent: number): number | undefined =>
  values[Math.ceil((values.length * percent) / 100) - 1];

function countedLosses(outcomes: readonly Outcome[]): Partial<Record<Loss, number>> {
  const losses: Partial<Record<Loss, number>> = {};
  for (const { loss } of outcomes) if (loss !== undefined) losses[loss] = (losses[loss] ?? 0) + 1;
  return losses;
}
