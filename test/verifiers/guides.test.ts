import { expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('guides/', import.meta.url));
const guide = readFileSync(new URL('../../docs/verifiers.md', import.meta.url), 'utf8');

test.each(readdirSync(folder))('the guide shows %s as it is tested', (file) => {
  expect(guide).toContain(`\`\`\`ts\n${readFileSync(folder + file, 'utf8')}\`\`\``);
});
