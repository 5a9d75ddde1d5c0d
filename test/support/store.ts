import type { Session } from '../../functions/shared/domain/session.ts';
import type { Login, User } from '../../functions/shared/domain/user.ts';
import type { ClearAttempts, CountAttempt } from '../../functions/shared/store/attempts.ts';
import type { EndOthers, RaiseEpoch } from '../../functions/shared/store/epochs.ts';
import type { FindLogin, ReplaceHash } from '../../functions/shared/store/logins.ts';
import type { ListSessions } from '../../functions/shared/store/session-list.ts';
import type {
  ChangeSession,
  FindSession,
  PutSession,
  RemoveSession,
  RevokeSession,
  RotateUnread,
} from '../../functions/shared/store/sessions.ts';
import type { ChangePassword } from '../../functions/shared/store/passwords.ts';
import type { ChangeProfile, FindUser } from '../../functions/shared/store/users.ts';

/** Everything that operations ask of the store. */
export interface Store {
  readonly countAttempt: CountAttempt;
  readonly clearAttempts: ClearAttempts;
  readonly findLogin: FindLogin;
  readonly replaceHash: ReplaceHash;
  readonly findUser: FindUser;
  readonly changeProfile: ChangeProfile;
  readonly changePassword: ChangePassword;
  readonly raiseEpoch: RaiseEpoch;
  readonly putSession: PutSession;
  readonly findSession: FindSession;
  readonly listSessions: ListSessions;
  readonly rotateUnread: RotateUnread;
  readonly changeSession: ChangeSession;
  readonly revokeSession: RevokeSession;
  readonly removeSession: RemoveSession;
  readonly endOthers: EndOthers;
}

/** A store that a test can fill: what is set replaces what stood there, on no condition. */
export interface TestStore extends Store {
  setUser(user: User): Promise<void>;
  /** @param name canonical */
  setLogin(name: string, login: Login): Promise<void>;
  setSession(session: Session): Promise<void>;
}
