import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { isSessionId, isUserId } from '../../../../functions/shared/domain/ids.ts';
import { newSessionId, newTokenId, newUserId } from '../../../../functions/shared/runtime/ids.ts';
import { START } from '../../../support/clock.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

/** A session id made at a time, in milliseconds. */
const idAt = (time: number) => {
  jest.spyOn(Date, 'now').mockReturnValue(time);
  return newSessionId();
};

describe('a new session id', () => {
  test('is a UUID of version 7', () => {
    for (let number = 0; number < 100; number += 1) {
      expect(newSessionId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  test('begins with the time of the login, so that sessions stand in that order', () => {
    expect(idAt(START * 1000)).toMatch(/^018bcfe5-6800-7/);
    const ids = [-1, 0, 1, 999, 1_000, 86_400_000, 10_000_000_000_000].map((age) => idAt(START * 1000 + age));
    expect(ids.toSorted()).toEqual(ids);
  });

  test('is another one each time, also within one millisecond', () => {
    expect(new Set(Array.from({ length: 1_000 }, () => idAt(START * 1000))).size).toBe(1_000);
  });
});

test('ids are such as tokens may carry', () => {
  expect(isSessionId(newSessionId())).toBe(true);
  expect(isUserId(newUserId())).toBe(true);
  expect(newUserId()).not.toBe(newUserId());
  expect(newTokenId()).not.toBe(newTokenId());
});
