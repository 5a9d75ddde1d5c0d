/** What those who make and change keys need of the places where keys are kept. The functions that use keys need less. */

/** A text of which one version is kept, such as a parameter. */
export interface KeptText {
  /** @returns undefined where there is none yet */
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
}

/** One version of a secret. */
export interface SecretVersion {
  readonly id: string;
  readonly text: string;
}

/** A secret whose current version is replaced, never written over: whoever was overtaken is told so. */
export interface KeptSecret {
  /** @returns undefined where there is none yet */
  current(): Promise<SecretVersion | undefined>;
  /**
   * Makes a text current.
   *
   * @param replaces the version that the text was made from
   * @returns false, with nothing changed, where another version is current by now
   */
  replace(text: string, replaces: SecretVersion | undefined): Promise<boolean>;
}

/** A secret as a rotation sees it: beside its current version it may have one that is pending. */
export interface RotatingSecret extends KeptSecret {
  /** Where a version stands; `gone` also where it never was. */
  stateOf(id: string): Promise<'current' | 'pending' | 'gone'>;
  /** The text of a version, undefined where it has none yet. */
  textOf(id: string): Promise<string | undefined>;
  /** The text of the version that is pending, or was last, undefined where it has none. */
  pendingText(): Promise<string | undefined>;
  /** Gives a pending version its text, unless it has one. */
  putPending(id: string, text: string): Promise<void>;
  /** Makes a version current in the place of another one. @returns false, with nothing changed, where that one is not current */
  promote(id: string, replaces: string): Promise<boolean>;
  /** Gives a pending version up, so that the next rotation begins anew. */
  giveUp(id: string): Promise<void>;
}
