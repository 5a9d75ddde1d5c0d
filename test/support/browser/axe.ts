import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { isMembers } from '../../../functions/shared/domain/unknown.ts';

/** WCAG 2.2 in its levels A and AA, and what axe calls good practice. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe finds wrong with a page as it is: the rule and the first element of each. Empty where nothing is. */
export async function violationsOn(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate<unknown>(
    `axe.run({ runOnly: ${JSON.stringify(RULES)} }).then(({ violations, passes }) => ({
      passed: passes.length,
      violations: violations.map(({ id, nodes }) => id + ' at ' + nodes[0].html + ': ' + nodes[0].failureSummary),
    }))`,
  );
  if (!isMembers(found) || !Array.isArray(found['violations'])) throw new Error('axe gave no answer.');
  // It looked at all.
  if (!(Number(found['passed']) > 20)) throw new Error(`axe passed ${String(found['passed'])} rules only.`);
  return found['violations'].map(String);
}
