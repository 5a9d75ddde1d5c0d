/**
 * `npm run bench:sessions [-- --weeks N] [--seed TEXT]`: how many sessions honest devices lose in a week of flaky networks,
 * and how long a thief goes unnoticed, under this rule and under rotation without and with a grace window. Prints
 * Markdown; the same seed and number print the same. What the week is like: session-week/weather.ts, network.ts, week.ts.
 */
import { parseArgs } from 'node:util';
import { figuresOf, mean, percentile, sum, type Figures } from './session-week/figures.ts';
import { RULES, thisRule } from './session-week/rules.ts';
import type { ThiefKind } from './session-week/thief.ts';
import type { Usage } from './session-week/week.ts';

const { values } = parseArgs({
  options: { weeks: { type: 'string', default: '6000' }, seed: { type: 'string', default: '1' } },
});
const weeks = Number(values.weeks);
const { seed } = values;
/** Fewer show how long a thief lives. */
const theftWeeks = Math.ceil(weeks / 4);

const DEVICES: readonly (readonly [string, Usage])[] = [
  ['one tab', { tabs: 1, twoAddresses: false, calm: false }],
  ['three tabs', { tabs: 3, twoAddresses: false, calm: false }],
  ['three tabs, two addresses', { tabs: 3, twoAddresses: true, calm: false }],
];
const THIEVES: readonly ThiefKind[] = ['independent', 'later', 'shadow', 'shadow in disguise'];

const print = (line = '') => void process.stdout.write(`${line}\n`);
const row = (...cells: readonly string[]) => print(`| ${cells.join(' | ')} |`);
const rule = (cells: number) => row(...Array<string>(cells).fill('---'));

const percent = (part: number, whole: number): string => {
  if (part === 0) return '0%';
  const share = (100 * part) / whole;
  return `${share === 100 ? share : share.toPrecision(share < 99 ? 2 : 4)}%`;
};
const duration = (seconds: number | undefined): string => {
  if (seconds === undefined || Number.isNaN(seconds)) return '-';
  if (seconds < 60) return `${seconds.toFixed(0)} s`;
  return seconds < 7_200 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3_600).toFixed(1)} h`;
};

print(`Seed ${seed}: ${weeks} weeks of each kind of device, ${theftWeeks} of each kind of thief.`);
print();
print('Sessions lost in a week by an honest device alone:');
print();
row('', ...RULES.map(({ name }) => name));
rule(RULES.length + 1);
const ours: Figures[] = [];
for (const [name, usage] of DEVICES) {
  const figures = RULES.map((each) => figuresOf(each, usage, weeks, seed));
  ours.push(figures[RULES.indexOf(thisRule)]!);
  row(name, ...figures.map(({ lost }) => percent(lost, weeks)));
}

print();
print(
  'Until a thief is found, on a network that loses nothing, from the first use of the stolen token (mean, p95, never, pairs given):',
);
print();
row('', ...RULES.map(({ name }) => name));
rule(RULES.length + 1);
for (const thief of THIEVES) {
  const cells = RULES.map((each) => {
    const { foundAfter, neverFound, thefts, pairs } = figuresOf(
      each,
      { tabs: 1, twoAddresses: false, calm: true, thief },
      theftWeeks,
      seed,
    );
    const times =
      foundAfter.length === 0 ? '' : `${duration(mean(foundAfter))}, ${duration(percentile(foundAfter, 95))}, `;
    return `${times}${percent(neverFound, thefts)} never, ${pairs.toFixed(1)} pairs`;
  });
  row(thief, ...cells);
}

print();
print('How this rule lost the sessions of honest devices:');
print();
const LOSSES = ['overtaken', 'apart', 'straddled', 'clocks'] as const;
row('', 'refreshes', ...LOSSES);
rule(LOSSES.length + 2);
for (const [at, [name]] of DEVICES.entries()) {
  const { refreshes, losses } = ours[at]!;
  row(name, String(refreshes), ...LOSSES.map((loss) => String(losses[loss] ?? 0)));
}
row(
  'all',
  String(sum(ours.map(({ refreshes }) => refreshes))),
  ...LOSSES.map((loss) => String(sum(ours.map(({ losses }) => losses[loss] ?? 0)))),
);
