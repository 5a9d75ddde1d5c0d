/** Names a user for ever; the `sub` of every token. Never a username, which can be given to somebody else. */
export type UserId = string & { readonly names: 'user' };

/** Names one session, which is one device's login; the `sid` of every token. */
export type SessionId = string & { readonly names: 'session' };

/** Names a device for the counter of its failed logins; random, so that it says nothing about the device. */
export type DeviceId = string & { readonly names: 'device' };

/** Counts a session's refresh tokens, from 0 at login. */
export type Counter = number & { readonly counts: 'refresh-tokens' };

const ID = /^[0-9A-Za-z_-]{1,64}$/;

/** Whether a text can be a user id: what our ids look like, and those of an imported system. */
export const isUserId = (text: string): text is UserId => ID.test(text);

/** Whether a text can be a session id. */
export const isSessionId = (text: string): text is SessionId => ID.test(text);

/** Whether a number can be a counter: a whole number from 0 that can still be raised without losing precision. */
export const isCounter = (value: number): value is Counter => Number.isInteger(value) && value >= 0 && value < 2 ** 48;

/** The counter after this one. */
export const next = (counter: Counter): Counter => (counter + 1) as Counter;
