import { canonicalEmail } from './email.ts';
import type { UserId } from './ids.ts';
import { after, type Seconds, type UnixSeconds } from './time.ts';
import type { User } from './user.ts';

/** What a code that was mailed is good for. */
export type CodeKind = 'verify' | 'reset';

/** How long a code can be used. A reset opens an account, so its code dies young. */
export const CODE_LIFETIME_SECONDS = { verify: 86_400, reset: 1_800 } as const satisfies Record<CodeKind, Seconds>;

/** A code as it is stored, under its hash: what it does, for whom, and until when. It is used once. */
export interface Code {
  readonly kind: CodeKind;
  readonly userId: UserId;
  /** The address it was mailed to. */
  readonly address: string;
  /** The user's when the code was made: another password makes it useless. */
  readonly passwordVersion: number;
  readonly expiresAt: UnixSeconds;
}

/** What a code of a kind is for a user, from now on. */
export const codeFor = (kind: CodeKind, user: User, address: string, now: UnixSeconds): Code => ({
  kind,
  userId: user.id,
  address,
  passwordVersion: user.passwordVersion,
  expiresAt: after(now, CODE_LIFETIME_SECONDS[kind]),
});

/** Whether a text can be a code: 32 bytes in base64url. Anything else is refused without a look into the store. */
export const isCode = (text: string): boolean => /^[\w-]{43}$/.test(text);

/** Whether a code that was found still confirms the address that its user waits for. */
export const confirms = (code: Code | undefined, user: User | undefined, now: UnixSeconds): code is Code =>
  isUsable(code, 'verify', user, now) && user?.pendingEmail === code.address;

/** Whether a code that was found still opens its user's account. */
export const opens = (code: Code | undefined, user: User | undefined, now: UnixSeconds): code is Code =>
  isUsable(code, 'reset', user, now) && user !== undefined && hasVerified(user, canonicalEmail(code.address));

/** Whether an address, in its canonical form, is one that the user has verified. */
export const hasVerified = ({ email, emailVerified }: User, canonical: string): boolean =>
  emailVerified === true && email !== undefined && canonicalEmail(email) === canonical;

/** Whoever asked for a code knew the password or had the mailbox then: a change of the password shuts them out, however far they came. */
const isUsable = (code: Code | undefined, kind: CodeKind, user: User | undefined, now: UnixSeconds): code is Code =>
  code?.kind === kind &&
  now < code.expiresAt &&
  user?.id === code.userId &&
  user.status === 'active' &&
  user.passwordVersion === code.passwordVersion;
