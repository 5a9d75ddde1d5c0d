import { describe, expect, test } from '@jest/globals';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { choiceIn, pageIn } from '../../../../functions/shared/http/query.ts';
import { callerIn, clientIn, deviceIn, headerIn } from '../../../../functions/shared/http/request.ts';
import { after } from '../../../../functions/shared/domain/time.ts';
import { aSession, aUser } from '../../../support/builders.ts';
import { START } from '../../../support/clock.ts';
import { apiEvent } from '../../../support/events.ts';

describe('a header', () => {
  test.each(['x-test', 'X-Test', 'X-TEST'])('is found, however it is written: %s', (name) => {
    expect(headerIn(apiEvent({ headers: { [name]: 'value' } }), 'x-test')).toBe('value');
  });

  test('is undefined where there is none, also where there are no headers at all', () => {
    expect(headerIn(apiEvent({}), 'x-test')).toBeUndefined();
    const bare = { ...apiEvent({}), headers: null } as unknown as APIGatewayProxyEvent;
    expect(headerIn(bare, 'x-test')).toBeUndefined();
    expect(headerIn(apiEvent({}), 'tostring')).toBeUndefined();
  });
});

describe('the device that asks', () => {
  test('has the address that the gateway saw, whatever headers say', () => {
    const headers = { 'X-Forwarded-For': '198.51.100.1', Forwarded: 'for=198.51.100.1', 'X-Real-IP': '198.51.100.1' };
    expect(deviceIn(apiEvent({ headers }))).toEqual({ address: '203.0.113.7', userAgent: 'test/1' });
  });

  test('may have no user agent', () => {
    expect(deviceIn({ ...apiEvent({}), headers: {} })).toEqual({ address: '203.0.113.7', userAgent: '' });
  });

  test('has 512 characters of its user agent, and they are well-formed, also where the cut goes through one', () => {
    const agentOf = (userAgent: string) => deviceIn(apiEvent({ userAgent })).userAgent;
    expect(agentOf('x'.repeat(512))).toBe('x'.repeat(512));
    expect(agentOf('x'.repeat(20_000))).toBe('x'.repeat(512));
    expect(agentOf('a\ud800b').isWellFormed()).toBe(true);
    expect(agentOf(`${'x'.repeat(511)}\u{1f511}`).isWellFormed()).toBe(true);
  });

  test('is told apart from others by as much as the setting says', () => {
    const at = (address: string, userAgent: string) => apiEvent({ address, userAgent });
    const phone = at('203.0.113.7', 'phone');
    const moved = at('198.51.100.1', 'phone');
    const laptop = at('203.0.113.7', 'laptop');
    const prints = (mode: 'none' | 'agent' | 'address-and-agent') =>
      [phone, moved, laptop].map((event) => clientIn(event, mode));
    expect(new Set(prints('none')).size).toBe(1);
    expect(prints('agent').map((print) => print === prints('agent')[0])).toEqual([true, true, false]);
    expect(new Set(prints('address-and-agent')).size).toBe(3);
    expect(clientIn(at('a', 'bc'), 'address-and-agent')).not.toBe(clientIn(at('ab', 'c'), 'address-and-agent'));
  });

  test('cannot be read out of what is stored of it', () => {
    expect(clientIn(apiEvent({}), 'address-and-agent')).toMatch(/^[\w-]{22}$/);
  });
});

describe('the caller whom the authorizer let in', () => {
  const context = { sub: aUser().id, sid: aSession().sessionId, exp: START + 100 };
  const callerOf = (authorizer: object | undefined, age = 0) =>
    callerIn(
      { ...apiEvent({}), requestContext: { ...apiEvent({}).requestContext, authorizer: authorizer as never } },
      after(START, age),
    );

  test('is named by sub and sid', () => {
    expect(callerOf(context)).toEqual({ userId: aUser().id, sessionId: aSession().sessionId });
    expect(callerIn(apiEvent({ authorizer: context }), START)).toEqual(callerOf(context));
  });

  test('is let in until the second before the token ends, however long the gateway keeps its answer', () => {
    expect(callerOf({ ...context, exp: String(context.exp) }, 99)).toBeDefined();
    expect(() => callerOf({ ...context, exp: String(context.exp) }, 100)).toThrow('bearer-refused');
    expect(() => callerOf(context, 160)).toThrow('bearer-refused');
  });

  test.each([
    ['no context', undefined],
    ['null', null],
    ['an empty context', {}],
    ['no subject', { ...context, sub: undefined }],
    ['an empty subject', { ...context, sub: '' }],
    ['a subject that is a number', { ...context, sub: 1 }],
    ['a subject that could not be a user', { ...context, sub: 'a/b' }],
    ['no session', { ...context, sid: undefined }],
    ['a session that could not be one', { ...context, sid: 'a b' }],
    ['no end', { ...context, exp: undefined }],
    ['an empty end', { ...context, exp: '' }],
    ['an end that is null', { ...context, exp: null }],
    ['an end that is no number', { ...context, exp: 'never' }],
  ])('is refused where there is %s', (_, authorizer) => {
    expect(() => callerOf(authorizer as object)).toThrow(
      expect.objectContaining({ name: 'Refusal', reason: 'bearer-refused' }),
    );
  });
});

describe('a query', () => {
  const page = (query: Record<string, string>) => pageIn(apiEvent({ query }));

  test('asks for a page of 1 to 50, from a session on', () => {
    expect(pageIn(apiEvent({}))).toEqual({ limit: 50 });
    expect(page({ limit: '1' })).toEqual({ limit: 1 });
    expect(page({ limit: '50', cursor: aSession().sessionId })).toEqual({ limit: 50, before: aSession().sessionId });
  });

  test.each(['0', '51', '-1', '1.5', '1e1', '', 'ten', '0x1', ' 1', '9999'])('asks for no page of %j', (limit) => {
    expect(() => page({ limit })).toThrow(
      expect.objectContaining({ fields: { limit: ['Ensure this is a number from 1 to 50.'] } }),
    );
  });

  test.each(['', 'a b', '../x', 'x'.repeat(65), '%00'])('has no cursor %j', (cursor) => {
    expect(() => page({ cursor })).toThrow(expect.objectContaining({ fields: { cursor: ['Invalid cursor.'] } }));
  });

  test('has a word of those it may have, or none, but no other', () => {
    const choice = (query: Record<string, string>) => choiceIn(apiEvent({ query }), 'keep', ['current', 'none']);
    expect(choice({})).toBeUndefined();
    expect(choice({ keep: 'current' })).toBe('current');
    for (const keep of ['', 'Current', 'other', 'toString']) {
      expect(() => choice({ keep })).toThrow(expect.objectContaining({ fields: { keep: ['Not a valid choice.'] } }));
    }
  });
});
