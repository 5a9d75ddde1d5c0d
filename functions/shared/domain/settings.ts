/**
 * Every setting there is: its CDK context name, the environment variable a function reads, default, unit and
 * range. Synth checks `deployable` (what may go into an account), a function's cold start checks `accepts`
 * (what the code can run with), so that a two-second token can be tried locally and never deployed.
 */

interface NumberSetting {
  readonly kind: 'number';
  readonly env: string;
  readonly unit:
    | 'seconds'
    | 'milliseconds'
    | 'characters'
    | 'sessions'
    | 'failures in ten minutes'
    | 'accounts an hour'
    | 'rounds (log2)';
  readonly default: number;
  readonly accepts: readonly [number, number];
  readonly deployable: readonly [number, number];
}

interface ChoiceSetting<Choice extends string> {
  readonly kind: 'choice';
  readonly env: string;
  readonly default: Choice;
  readonly choices: readonly Choice[];
}

interface TextSetting {
  readonly kind: 'text';
  readonly env: string;
  readonly default: string;
  readonly pattern: RegExp;
  /** What the pattern means, for the message of a refusal. */
  readonly takes?: string;
}

const DAY = 86_400;

export const SIGNING_ALGORITHMS = ['ES256', 'EdDSA', 'RS256'] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

export const CLIENT_PRINTS = ['none', 'agent', 'address-and-agent'] as const;
export type ClientPrintMode = (typeof CLIENT_PRINTS)[number];

/**
 * A link of an application with `{token}` in it: https or a scheme of its own, http only to this machine, because
 * whoever reads the token can use it.
 */
const LINK =
  /^(none|(?!http:\/\/(?!(localhost|127\.0\.0\.1)[:/]))[a-z][a-z0-9+.-]*:\/\/[\x21\x23-\x3b\x3d\x3f-\x7a\x7e]*\{token\}[\x21\x23-\x3b\x3d\x3f-\x7a\x7e]*)$/;

const HOST = '[a-z0-9-]+(?:\\.[a-z0-9-]+)*';
/**
 * An origin as a browser writes it, because it is compared byte for byte: lower case, no slash at the end, a port only
 * where it is not the scheme's own.
 */
const ORIGIN = `(?:https://${HOST}(?::(?!443(?!\\d))[1-9]\\d{0,4})?|http://${HOST}(?::(?!80(?!\\d))[1-9]\\d{0,4})?)`;

export const SETTINGS = {
  /** The `aud` of access tokens: the name of the API they are for (RFC 9068 section 2.2). */
  audience: {
    kind: 'text',
    env: 'AUDIENCE',
    default: 'latchkey',
    pattern: /^[\x21-\x7e]{1,200}$/,
  },
  /** The `client_id` of access tokens (RFC 9068 section 2.2). */
  clientId: {
    kind: 'text',
    env: 'CLIENT_ID',
    default: 'latchkey',
    pattern: /^[\x21-\x7e]{1,200}$/,
  },
  /** Algorithm of the next signing key. RS256 (3072 bits) for API Gateway HTTP APIs and load balancers. */
  signingAlgorithm: {
    kind: 'choice',
    env: 'SIGNING_ALGORITHM',
    default: 'ES256',
    choices: SIGNING_ALGORITHMS,
  },
  /** How long an access token is valid. */
  accessTokenLifetime: {
    kind: 'number',
    env: 'ACCESS_TOKEN_LIFETIME_SECONDS',
    unit: 'seconds',
    default: 900,
    accepts: [1, 86_400],
    deployable: [60, 3_600],
  },
  /**
   * How long the authorizer goes on with the key set it has while it cannot fetch a newer one. A key that was taken back
   * in an emergency is trusted for this long at most; an outage of the key set for longer is one of every protected route.
   */
  keySetUsableFor: {
    kind: 'number',
    env: 'KEY_SET_USABLE_SECONDS',
    unit: 'seconds',
    default: DAY,
    accepts: [1, 30 * DAY],
    deployable: [600, 30 * DAY],
  },
  /** A session that is not refreshed for this long ends. */
  sessionIdleLifetime: {
    kind: 'number',
    env: 'SESSION_IDLE_SECONDS',
    unit: 'seconds',
    default: 30 * DAY,
    accepts: [1, 400 * DAY],
    deployable: [3_600, 400 * DAY],
  },
  /** A session ends this long after its login, however often it is refreshed. */
  sessionLifetime: {
    kind: 'number',
    env: 'SESSION_LIFETIME_SECONDS',
    unit: 'seconds',
    default: 90 * DAY,
    accepts: [1, 400 * DAY],
    deployable: [3_600, 400 * DAY],
  },
  /** A login beyond this many ends the user's least recently used session. */
  sessionsPerUser: {
    kind: 'number',
    env: 'SESSIONS_PER_USER',
    unit: 'sessions',
    default: 50,
    accepts: [1, 500],
    deployable: [1, 500],
  },
  /** Failed logins from one address (IPv6: one /64) in ten minutes, whatever the names; known devices are not counted. */
  loginsPerAddress: {
    kind: 'number',
    env: 'LOGINS_PER_ADDRESS',
    unit: 'failures in ten minutes',
    default: 100,
    accepts: [1, 1_000_000],
    deployable: [10, 1_000_000],
  },
  /** New accounts from one address (IPv6: one /64) in an hour. */
  registrationsPerAddress: {
    kind: 'number',
    env: 'REGISTRATIONS_PER_ADDRESS',
    unit: 'accounts an hour',
    default: 20,
    accepts: [1, 1_000_000],
    deployable: [1, 1_000_000],
  },
  /**
   * How long a key is published before it signs. API Gateway's own authorizers may keep a key set for two hours; of three,
   * a rotation that was held up may lose a quarter before it is given up.
   */
  keyPublicationTime: {
    kind: 'number',
    env: 'KEY_PUBLICATION_SECONDS',
    unit: 'seconds',
    default: 10_800,
    accepts: [1, 7 * DAY],
    deployable: [10_800, 7 * DAY],
  },
  /** How often a function that holds keys in its memory reads them again. */
  keyRefreshInterval: {
    kind: 'number',
    env: 'KEY_REFRESH_SECONDS',
    unit: 'seconds',
    default: 300,
    accepts: [1, 300],
    deployable: [60, 300],
  },
  /** How old keys may get that cannot be read again: from then on a function answers 503. A retired key lives no longer. */
  keyMaxStale: {
    kind: 'number',
    env: 'KEY_MAX_STALE_SECONDS',
    unit: 'seconds',
    default: DAY,
    accepts: [10, 7 * DAY],
    deployable: [600, 7 * DAY],
  },
  /** How long the record of a session that was ended is kept, with its address and user agent. */
  endedSessionsKept: {
    kind: 'number',
    env: 'ENDED_SESSIONS_KEPT_SECONDS',
    unit: 'seconds',
    default: 30 * DAY,
    accepts: [0, 400 * DAY],
    deployable: [0, 400 * DAY],
  },
  /** What tells two devices apart when a replaced refresh token comes back within 30 seconds. */
  clientPrint: {
    kind: 'choice',
    env: 'CLIENT_PRINT',
    default: 'address-and-agent',
    choices: CLIENT_PRINTS,
  },
  /** Work of one password hash; each step doubles it. Below 10 is for tests and is refused at synth. */
  bcryptCost: {
    kind: 'number',
    env: 'BCRYPT_COST',
    unit: 'rounds (log2)',
    default: 11,
    accepts: [4, 15],
    deployable: [10, 15],
  },
  /** Shortest password an account may get (NIST SP 800-63B-4: 15 where it is the only factor). */
  passwordMinLength: {
    kind: 'number',
    env: 'PASSWORD_MIN_LENGTH',
    unit: 'characters',
    default: 15,
    accepts: [8, 64],
    deployable: [8, 64],
  },
  /** The address that mails come from; `none` sends no mail and leaves out the routes that need it. */
  mailFrom: {
    kind: 'text',
    env: 'MAIL_FROM',
    default: 'none',
    pattern: /^(none|[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+)$/,
  },
  /** Where a mail sends its reader to confirm an address; `none` puts the bare token into it. */
  verifyLink: { kind: 'text', env: 'VERIFY_LINK', default: 'none', pattern: LINK },
  /** Where a mail sends its reader to choose a new password; `none` puts the bare token into it. */
  resetLink: { kind: 'text', env: 'RESET_LINK', default: 'none', pattern: LINK },
  /** When a request for a reset is answered, whatever came of it: longer than finding a user and sending a mail takes. */
  resetAnswerTime: {
    kind: 'number',
    env: 'RESET_ANSWER_MILLISECONDS',
    unit: 'milliseconds',
    default: 2_000,
    accepts: [1, 5_000],
    deployable: [1_000, 5_000],
  },
  /** The origins whose pages may read answers, with a space between them; `*` for every page, and then never with cookies. */
  corsOrigin: {
    kind: 'text',
    env: 'CORS_ORIGIN',
    default: '*',
    // Lambda gives the whole environment of a function 4 KB.
    pattern: new RegExp(`^(?=.{1,1000}$)(?:\\*|${ORIGIN}(?: ${ORIGIN})*)$`),
    takes:
      '* or origins as browsers write them (https://app.example.com), with one space between them and 1,000 characters in all',
  },
  /** Whether a browser may ask for its refresh token in a cookie that no script can read (docs/browsers.md). */
  cookieMode: { kind: 'choice', env: 'COOKIE_MODE', default: 'off', choices: ['on', 'off'] },
} as const satisfies Record<string, NumberSetting | ChoiceSetting<string> | TextSetting>;

export type SettingName = keyof typeof SETTINGS;

/** The checked value of a setting: a number, one of its choices, or a text. */
export type SettingValue<Name extends SettingName> = (typeof SETTINGS)[Name] extends { kind: 'number' }
  ? number
  : (typeof SETTINGS)[Name] extends { choices: readonly (infer Choice)[] }
    ? Choice
    : string;

/**
 * Reads one setting from its text form.
 *
 * @param where `deploy` holds it to the range that may go into an account, `run` to what the code can run with
 * @throws {RangeError} naming the setting, its unit and what it takes; never with the text of another setting
 */
export function settingFrom<Name extends SettingName>(
  name: Name,
  text: string | undefined,
  where: 'deploy' | 'run',
): SettingValue<Name>;
export function settingFrom(name: SettingName, text: string | undefined, where: 'deploy' | 'run'): number | string {
  const setting = SETTINGS[name];
  if (text === undefined) return setting.default;
  const refuse = (takes: string) => new RangeError(`Setting ${name} (${setting.env}) must be ${takes}, not "${text}".`);
  switch (setting.kind) {
    case 'number': {
      const [least, most] = where === 'deploy' ? setting.deployable : setting.accepts;
      const value = /^\d{1,12}$/.test(text) ? Number(text) : NaN;
      if (!(value >= least && value <= most)) {
        throw refuse(`a whole number of ${setting.unit} from ${least} to ${most}`);
      }
      return value;
    }
    case 'choice': {
      const choice = setting.choices.find((one) => one === text);
      if (choice === undefined) throw refuse(`one of ${setting.choices.join(', ')}`);
      return choice;
    }
    case 'text':
      if (!setting.pattern.test(text)) {
        throw refuse('takes' in setting ? setting.takes : `a text that matches ${setting.pattern.source}`);
      }
      return text;
  }
}
