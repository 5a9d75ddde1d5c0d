import { beforeAll, describe, expect, test } from '@jest/globals';

type Reply = typeof import('../../../../functions/shared/http/reply.ts');

describe('where one origin may call the API', () => {
  let made: Reply;
  beforeAll(async () => {
    process.env['CORS_ORIGIN'] = 'https://app.example.org';
    made = await import('../../../../functions/shared/http/reply.ts');
  });

  test('every answer names it and says that it depends on who asks', () => {
    for (const { headers } of [made.json(200, {}), made.problem(404, 'Not found.'), made.noContent()]) {
      expect(headers).toMatchObject({ 'Access-Control-Allow-Origin': 'https://app.example.org', Vary: 'Origin' });
    }
  });

  test('no answer lets cookies or other credentials of a browser in', () => {
    expect(made.json(200, {}).headers).not.toHaveProperty('Access-Control-Allow-Credentials');
  });

  test('an answer may still be for everybody, as public keys are', () => {
    const { headers } = made.reply(200, '', { 'Access-Control-Allow-Origin': '*' });
    expect(headers).toMatchObject({ 'Access-Control-Allow-Origin': '*', 'X-Content-Type-Options': 'nosniff' });
  });
});
