/** Where the accounts of one stack are, deployed or local: what the operators' commands need to reach them. */
export interface StackAccess {
  readonly usersTable: string;
  readonly sessionsTable: string;
  /** Base URL of an engine that is not AWS's own. */
  readonly dynamoDbEndpoint?: string;
  /** The text of the pepper secret, read when a password is hashed and not before. */
  peppersSecret(): Promise<string>;
  close(): Promise<void>;
}
