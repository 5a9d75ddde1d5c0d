import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { authorizerContext, startService, type Service } from '../../support/service.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

test.each([
  ['the execute-api endpoint, with its stage', '/v1/api/sessions'],
  ['a custom domain that leads to the stage itself', '/api/sessions'],
])('the next page is at the path that the client sent: %s', async (_name, path) => {
  const account = await service.account();
  await service.login(account);
  const { access } = await service.login(account);
  const authorizer = authorizerContext(access);

  const { status, body } = await service.call('devices', { path, query: { limit: '1' }, authorizer });
  expect(status).toBe(200);
  expect(body['next']).toMatch(new RegExp(`^${path}\\?limit=1&cursor=.+$`));
});
