import type { SessionId, UserId } from './ids.ts';

/** What operators count and are paged by, each with the name of its CloudWatch metric. */
export const SECURITY_EVENTS = {
  login: 'Login',
  'login-failed': 'LoginFailed',
  /** From here on the next attempt on this name has to wait. */
  lock: 'Locked',
  refresh: 'Refresh',
  fork: 'Fork',
  adopt: 'Adopt',
  theft: 'Theft',
  logout: 'Logout',
  'logout-everywhere': 'LogoutEverywhere',
  'session-ended': 'SessionEnded',
  registered: 'Registered',
  'password-changed': 'PasswordChanged',
  'password-change-failed': 'PasswordChangeFailed',
  'password-reset-asked': 'PasswordResetAsked',
  'password-reset': 'PasswordReset',
  /** An address was verified, or a verified one taken away. */
  'email-changed': 'EmailChanged',
  'email-change-failed': 'EmailChangeFailed',
  'account-deleted': 'AccountDeleted',
  'account-deletion-failed': 'AccountDeletionFailed',
  'mail-failed': 'MailFailed',
} as const;

export type SecurityEvent = keyof typeof SECURITY_EVENTS;

/** Whom an event is about, as far as that is known, and why it came to it. Nothing in it is a secret. */
export interface EventDetails {
  readonly userId?: UserId | undefined;
  readonly sessionId?: SessionId | undefined;
  readonly reason?: string | undefined;
}

/** Notes an event of the request that is being answered: one line in the log and one count in its metric. */
export type Note = (event: SecurityEvent, details: EventDetails) => void;
