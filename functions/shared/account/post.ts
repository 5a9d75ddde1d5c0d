import type { Note } from '../domain/events.ts';
import type { UserId } from '../domain/ids.ts';
import type { Mail, SendMail } from '../mail/mailer.ts';

export interface PostNeeds {
  /** Absent where mails are not set up. */
  sendMail: SendMail | undefined;
  note: Note;
  /** Says that something went wrong which the caller need not know of. */
  warn(event: string, error: unknown): void;
}

/** Sends a mail to a user, where mails are set up. What goes wrong is counted, and no caller is told. */
export async function post(mail: Mail, userId: UserId, needs: PostNeeds): Promise<void> {
  try {
    await needs.sendMail?.(mail);
  } catch (error) {
    needs.warn('mail-not-sent', error);
    needs.note('mail-failed', { userId, reason: mail.subject });
  }
}
