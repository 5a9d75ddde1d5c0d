/** The page at `/docs` in a real browser, below a stage, under the policy that its function sends. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Browser, Page } from 'playwright-core';
import { docsPage } from '../../infra/bundling/docs-page.ts';
import { openApiDocument } from '../../infra/openapi/document.ts';
import { violationsOn } from '../support/browser/axe.ts';
import { chromiumPath, PATIENCE_MS, startChromium } from '../support/browser/chromium.ts';
import { count } from '../support/counts.ts';
import { apiEvent } from '../support/events.ts';
import { serve, type TestServer } from '../support/http-server.ts';

const executable = chromiumPath();

const LOOKS = [
  ['dark', 390],
  ['light', 1280],
] as const;

(executable === undefined ? describe.skip : describe)('the reference page', () => {
  let server: TestServer;
  let browser: Browser;

  beforeAll(async () => {
    const answers = new Map<string, APIGatewayProxyResult>();
    const docs = docsPage();
    Object.assign(globalThis, { DOCS: docs });
    const { handler } = (await import('../../functions/docs/handler.ts')) as {
      handler: (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>;
    };
    answers.set('/v1/docs', await handler(apiEvent({ method: 'GET', resource: '/docs' })));
    for (const file of Object.keys(docs.files)) {
      const event = { ...apiEvent({ method: 'GET', resource: '/docs/{file}' }), pathParameters: { file } };
      answers.set(`/v1/docs/${file}`, await handler(event));
    }
    server = await serve(({ path }) => {
      const answer = answers.get(path);
      const headers = { 'Content-Type': 'application/json' };
      if (answer !== undefined) {
        const given = Object.entries(answer.headers ?? {}).map(([name, value]) => [name, String(value)] as const);
        return { status: answer.statusCode, body: answer.body, headers: Object.fromEntries(given) };
      }
      if (path === '/v1/openapi.json') return { headers, body: JSON.stringify(openApiDocument()) };
      if (path === '/v1/api/token') return { headers, body: '{"access":"an access token","refresh":"r"}' };
      return { status: path === '/v1/api/profile' ? 200 : 404, headers, body: '{}' };
    });
    browser = await startChromium(executable!);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  const execute = async (page: Page, operation: string) => {
    const block = page.locator(`[id="operations-${operation}"]`);
    await block.locator('.opblock-summary-control').click();
    await block.locator('.execute').click();
    await block.locator('.live-responses-table .response').first().waitFor();
  };

  test.each(LOOKS.slice(0, count(1, LOOKS.length)))(
    'works in %s, %d pixels wide, with nothing from elsewhere, nothing forbidden and nothing that axe finds',
    async (colorScheme, width) => {
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
      page.setDefaultTimeout(PATIENCE_MS);
      const asked: string[] = [];
      const complaints: string[] = [];
      page.on('request', (request) => asked.push(new URL(request.url()).origin));
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(`${server.url}/v1/docs`);
      await execute(page, 'Tokens-login');
      await execute(page, 'Account-readProfile');
      expect(new Set(asked)).toEqual(new Set([server.url]));
      expect(complaints).toEqual([]);
      const [profile] = server.received.filter(({ path }) => path === '/v1/api/profile').slice(-1);
      expect(profile?.headers.authorization).toBe('Bearer an access token');
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);

      // Where the pointer is, there is one button more, at once.
      const summary = page.locator('.opblock-summary').last();
      await summary.hover();
      expect((await summary.locator('.copy-to-clipboard').boundingBox())?.width).toBe(24);
      expect(await violationsOn(page)).toEqual([]);
      await page.close();
    },
  );
});
