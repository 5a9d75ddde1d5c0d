/**
 * Settings of a deployment, read from CDK context (`-c name=value`, or `context` in cdk.json) and checked at
 * synth. What a function reads comes from functions/shared/domain/settings.ts; what only the stack needs is here.
 */
import { SETTINGS, settingFrom, type SettingName, type SettingValue } from '../functions/shared/domain/settings.ts';

/** `local` is dev with every endpoint declared for a machine without AWS; it is never deployed. */
export const ENVIRONMENTS = ['local', 'dev', 'staging', 'prod'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

type PerEnvironment<Value> = Readonly<Record<Environment, Value>>;

interface ChoiceSetting {
  readonly choices: readonly string[];
  readonly default: PerEnvironment<string>;
  readonly about: string;
}

interface NumberSetting {
  readonly unit: string;
  readonly range: readonly [number, number];
  readonly default: PerEnvironment<number>;
  readonly about: string;
}

/** What is made to be thrown away, and what is made to stay. */
const temporaryOrKept = <const Temporary, const Kept>(temporary: Temporary, kept: Kept) =>
  ({ local: temporary, dev: temporary, staging: kept, prod: kept }) as const;
const everywhere = (value: number) => ({ local: value, dev: value, staging: value, prod: value });
const productionDiffers = (value: number, prod: number) => ({ ...everywhere(value), prod });

/** Deployment settings that are one of a few words. */
export const CHOICES = {
  removalPolicy: {
    choices: ['destroy', 'retain'],
    default: temporaryOrKept('destroy', 'retain'),
    about: 'What becomes of tables, secrets, public keys and logs when the stack is deleted.',
  },
  deletionProtection: {
    choices: ['on', 'off'],
    default: temporaryOrKept('off', 'on'),
    about: 'DynamoDB refuses to delete the tables while it is on.',
  },
  pointInTimeRecovery: {
    choices: ['on', 'off'],
    default: temporaryOrKept('off', 'on'),
    about: 'Continuous backups of both tables, 35 days back.',
  },
  registration: {
    choices: ['on', 'off'],
    default: { local: 'on', dev: 'on', staging: 'off', prod: 'off' },
    about: 'Whether anybody can make an account with POST /api/users. Off, the route and its function are not there.',
  },
  logRetentionDays: {
    choices: ['1', '7', '14', '30', '60', '90', '180', '365', '731'],
    default: { local: '7', dev: '7', staging: '30', prod: '90' },
    about: 'Days that CloudWatch keeps the logs of the functions: periods that it knows.',
  },
  pepperRotationDays: {
    choices: ['never', '90', '180', '365', '730'],
    default: { local: 'never', dev: 'never', staging: 'never', prod: 'never' },
    about: 'Days between two peppers. An old one is never dropped, so a new one protects only who logs in after it.',
  },
} as const satisfies Record<string, ChoiceSetting>;

/** Deployment settings that are whole numbers. */
export const NUMBERS = {
  loginMemory: {
    unit: 'MB',
    range: [512, 10_240],
    default: everywhere(1_769),
    about: 'Memory of login. 1,769 MB is one full vCPU: with less, a password hash takes longer.',
  },
  functionMemory: {
    unit: 'MB',
    range: [128, 10_240],
    default: everywhere(512),
    about: 'Memory of every other function.',
  },
  keyRotationDays: {
    unit: 'days',
    // A refresh secret is kept as long as a session lasts, 400 days at most: 58 of them at the most.
    range: [7, 365],
    default: everywhere(30),
    about: 'Days between two signing keys, and between two refresh secrets.',
  },
  authorizerCacheSeconds: {
    unit: 'seconds',
    range: [0, 60],
    default: everywhere(60),
    about: 'How long API Gateway remembers what the authorizer said of a token.',
  },
  throttleRate: {
    unit: 'requests per second',
    range: [1, 10_000],
    default: productionDiffers(100, 1_000),
    about: 'Steady rate of one method; API Gateway answers 429 above it.',
  },
  throttleBurst: {
    unit: 'requests',
    range: [1, 5_000],
    default: productionDiffers(200, 2_000),
    about: 'Requests that one method takes at once.',
  },
  loginThrottleRate: {
    unit: 'requests per second',
    range: [1, 10_000],
    default: productionDiffers(20, 50),
    about: 'Steady rate of POST /api/token (every login costs a password hash) and of POST /api/password/reset.',
  },
  loginThrottleBurst: {
    unit: 'requests',
    range: [1, 5_000],
    default: productionDiffers(40, 100),
    about: 'Logins taken at once, and resets asked for at once.',
  },
} as const satisfies Record<string, NumberSetting>;

/** A local run sends no mail anywhere, so it can have an address. */
const MAIL_FROM: Partial<PerEnvironment<string>> = { local: 'latchkey@example.com' };

type StackSettings = {
  readonly [Name in keyof typeof CHOICES]: (typeof CHOICES)[Name]['choices'][number];
} & { readonly [Name in keyof typeof NUMBERS]: number };

/** Everything a stack is made from, checked. */
export interface Deployment {
  readonly environment: Environment;
  /** Base URL that tokens name as `iss`; without it, the API's own execute-api URL. */
  readonly issuer: string | undefined;
  /** The identity in Amazon SES that mails are sent as; undefined where no mail is sent. */
  readonly mailIdentity: string | undefined;
  readonly functions: { readonly [Name in SettingName]: SettingValue<Name> };
  readonly stack: StackSettings;
}

/**
 * Reads a deployment from CDK context.
 *
 * @param context the value of a context name, `undefined` where it is not set
 * @throws {RangeError} naming the setting and what it takes
 */
export function deploymentFrom(context: (name: string) => unknown): Deployment {
  const text = (name: string) => textOf(name, context(name));
  const environment = oneOf('env', ENVIRONMENTS, text('env') ?? 'dev');

  const fn = <Name extends SettingName>(name: Name) => settingFrom(name, text(name), 'deploy');
  const functions = {
    audience: fn('audience'),
    clientId: fn('clientId'),
    signingAlgorithm: fn('signingAlgorithm'),
    accessTokenLifetime: fn('accessTokenLifetime'),
    keySetUsableFor: fn('keySetUsableFor'),
    sessionIdleLifetime: fn('sessionIdleLifetime'),
    sessionLifetime: fn('sessionLifetime'),
    sessionsPerUser: fn('sessionsPerUser'),
    loginsPerAddress: fn('loginsPerAddress'),
    registrationsPerAddress: fn('registrationsPerAddress'),
    keyPublicationTime: fn('keyPublicationTime'),
    keyRefreshInterval: fn('keyRefreshInterval'),
    keyMaxStale: fn('keyMaxStale'),
    endedSessionsKept: fn('endedSessionsKept'),
    clientPrint: fn('clientPrint'),
    bcryptCost: fn('bcryptCost'),
    passwordMinLength: fn('passwordMinLength'),
    mailFrom: settingFrom('mailFrom', text('mailFrom') ?? MAIL_FROM[environment], 'deploy'),
    verifyLink: fn('verifyLink'),
    resetLink: fn('resetLink'),
    resetAnswerTime: fn('resetAnswerTime'),
    corsOrigin: fn('corsOrigin'),
  };
  notLongerThan(functions, 'accessTokenLifetime', 'sessionIdleLifetime');
  notLongerThan(functions, 'sessionIdleLifetime', 'sessionLifetime');

  const choice = <Choice extends string>(
    name: keyof typeof CHOICES,
    setting: { readonly choices: readonly Choice[]; readonly default: PerEnvironment<Choice> },
  ) => oneOf(name, setting.choices, text(name) ?? setting.default[environment]);
  const number = (name: keyof typeof NUMBERS) =>
    wholeNumber(name, NUMBERS[name], text(name) ?? String(NUMBERS[name].default[environment]));
  const stack = {
    removalPolicy: choice('removalPolicy', CHOICES.removalPolicy),
    deletionProtection: choice('deletionProtection', CHOICES.deletionProtection),
    pointInTimeRecovery: choice('pointInTimeRecovery', CHOICES.pointInTimeRecovery),
    registration: choice('registration', CHOICES.registration),
    logRetentionDays: choice('logRetentionDays', CHOICES.logRetentionDays),
    pepperRotationDays: choice('pepperRotationDays', CHOICES.pepperRotationDays),
    loginMemory: number('loginMemory'),
    functionMemory: number('functionMemory'),
    keyRotationDays: number('keyRotationDays'),
    authorizerCacheSeconds: number('authorizerCacheSeconds'),
    throttleRate: number('throttleRate'),
    throttleBurst: number('throttleBurst'),
    loginThrottleRate: number('loginThrottleRate'),
    loginThrottleBurst: number('loginThrottleBurst'),
  };

  return {
    environment,
    issuer: issuerFrom(text('issuer'), environment),
    mailIdentity: mailIdentityFrom(text('mailIdentity'), functions.mailFrom),
    functions,
    stack,
  };
}

/** Names of all settings that a stack takes from context. */
export const CONTEXT_NAMES = [
  'env',
  'issuer',
  'mailIdentity',
  ...Object.keys(SETTINGS),
  ...Object.keys(CHOICES),
  ...Object.keys(NUMBERS),
];

/** `-c` gives texts; cdk.json may also hold numbers. */
function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new RangeError(`Setting ${name} must be a text or a number.`);
}

function oneOf<Choice extends string>(name: string, choices: readonly Choice[], text: string): Choice {
  const choice = choices.find((one) => one === text);
  if (choice === undefined)
    throw new RangeError(`Setting ${name} must be one of ${choices.join(', ')}, not "${text}".`);
  return choice;
}

function wholeNumber(name: string, { unit, range: [least, most] }: NumberSetting, text: string): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most)) {
    throw new RangeError(`Setting ${name} must be a whole number of ${unit} from ${least} to ${most}, not "${text}".`);
  }
  return value;
}

type Lifetime = 'accessTokenLifetime' | 'sessionIdleLifetime' | 'sessionLifetime';

function notLongerThan(values: Readonly<Record<Lifetime, number>>, shorter: Lifetime, longer: Lifetime): void {
  if (values[shorter] > values[longer]) {
    throw new RangeError(
      `Setting ${shorter} (${values[shorter]} s) must not be longer than ${longer} (${values[longer]} s).`,
    );
  }
}

/** An issuer is compared byte for byte and has paths appended (RFC 8414 section 2): no query, no trailing slash. */
function issuerFrom(text: string | undefined, environment: Environment): string | undefined {
  if (text === undefined) return undefined;
  const scheme = environment === 'local' ? 'https?' : 'https';
  const pattern = new RegExp(`^${scheme}://[A-Za-z0-9.-]+(:\\d{1,5})?(/[A-Za-z0-9._~-]+)*$`);
  if (!pattern.test(text)) {
    throw new RangeError(
      `Setting issuer must be an https URL without query, fragment or trailing slash` +
        ` (http in env=local only), not "${text}".`,
    );
  }
  return text;
}

/** The address itself or its domain, whichever SES has verified; the domain unless told. */
function mailIdentityFrom(text: string | undefined, mailFrom: string): string | undefined {
  const domain = mailFrom.slice(mailFrom.indexOf('@') + 1);
  if (text === undefined) return mailFrom === 'none' ? undefined : domain;
  if (mailFrom !== 'none' && [mailFrom, domain].includes(text)) return text;
  throw new RangeError(`Setting mailIdentity must be mailFrom (${mailFrom}) or its domain, not "${text}".`);
}
