/**
 * Settings of a deployment, read from CDK context (`-c name=value`, or `context` in cdk.json) and checked at
 * synth. What a function reads comes from functions/shared/domain/settings.ts; what only the stack needs is here.
 */
import { SETTINGS, settingFrom, type SettingName, type SettingValue } from '../functions/shared/domain/settings.ts';
import { checkCookieMode } from './cookie-mode.ts';

/** `local` is dev with every endpoint declared for a machine without AWS; it is never deployed. */
export const ENVIRONMENTS = ['local', 'dev', 'staging', 'prod'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

type PerEnvironment<Value> = Readonly<Record<Environment, Value>>;

interface ChoiceSetting {
  readonly choices: readonly string[];
  readonly default: PerEnvironment<string>;
  readonly about: string;
}

interface TextSetting {
  readonly pattern: RegExp;
  readonly takes: string;
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
const inProductionOnly = { local: 'off', dev: 'off', staging: 'off', prod: 'on' } as const;
const nowhere = { local: 'off', dev: 'off', staging: 'off', prod: 'off' } as const;

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
  docs: {
    choices: ['on', 'off'],
    default: temporaryOrKept('on', 'off'),
    about: 'The reference page at /docs. Off, neither its routes nor its function are there; /openapi.json stays.',
  },
  demoPage: {
    choices: ['on', 'off'],
    default: { local: 'on', dev: 'off', staging: 'off', prod: 'off' },
    about: 'A page at / on which everything can be tried in a browser. Off, the page and its function are not there.',
  },
  logRetentionDays: {
    choices: ['1', '7', '14', '30', '60', '90', '180', '365', '731'],
    default: { local: '7', dev: '7', staging: '30', prod: '90' },
    about: 'Days that CloudWatch keeps logs: periods that it knows.',
  },
  alarms: {
    choices: ['on', 'off'],
    default: temporaryOrKept('off', 'on'),
    about: 'Alarms and the topic that they page through. 10 cents a month for each metric that an alarm watches.',
  },
  dashboard: {
    choices: ['on', 'off'],
    default: temporaryOrKept('off', 'on'),
    about: 'A CloudWatch dashboard: three US dollars a month after the first three of an account.',
  },
  waf: {
    choices: ['on', 'off'],
    default: inProductionOnly,
    about: 'AWS WAF in front of the API: nine US dollars a month, and 60 cents for a million requests.',
  },
  accessLogs: {
    choices: ['on', 'off'],
    default: temporaryOrKept('off', 'on'),
    about: 'One line of JSON for each request, without tokens, bodies or query values.',
  },
  apiLogRole: {
    choices: ['existing', 'create'],
    default: { local: 'create', dev: 'create', staging: 'create', prod: 'create' },
    about:
      'The role with which API Gateway writes access logs. An account has one for each region: `existing` leaves it as it is, `create` sets one of ours.',
  },
  tracing: {
    choices: ['on', 'off'],
    default: nowhere,
    about: 'AWS X-Ray traces of the API and its functions: five US dollars for a million traces.',
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
  loginReservedConcurrency: {
    unit: 'functions at once',
    range: [0, 10_000],
    default: productionDiffers(0, 100),
    about: 'Most logins that run at once, so that a flood of them leaves the account something; 0 sets no limit.',
  },
  wafRateLimit: {
    unit: 'requests in five minutes',
    range: [10, 999_999],
    default: everywhere(3_000),
    about: 'What AWS WAF takes from one address, which may be a whole office or mobile network.',
  },
  wafLoginRateLimit: {
    unit: 'requests in five minutes',
    range: [10, 999_999],
    default: everywhere(300),
    about: 'Logins that AWS WAF takes from one address.',
  },
} as const satisfies Record<string, NumberSetting>;

/** A local run sends no mail anywhere, so it can have an address. */
const MAIL_FROM: Partial<PerEnvironment<string>> = { local: 'latchkey@example.com' };
/** Pages of a local run come from the API's own origin or are refused, so it needs none of what a deployment needs for it. */
const COOKIE_MODE: Partial<PerEnvironment<string>> = { local: 'on' };
/** Deployment settings that are a text, or not set. */
export const TEXTS = {
  domainName: {
    pattern: /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
    takes: 'a host name in lower case',
    about: 'Custom domain of the API. It then is the issuer too, and the execute-api endpoint is off.',
  },
  certificateArn: {
    pattern: /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[A-Za-z0-9-]+$/,
    takes: 'the ARN of a certificate in AWS Certificate Manager, in the region of the stack',
    about: 'Certificate of the custom domain.',
  },
  alarmEmail: {
    pattern: /^[^\s@,;<>"]{1,64}@[A-Za-z0-9.-]{1,190}$/,
    takes: 'an email address',
    about: 'Who gets the alarms; AWS asks that address for a confirmation. Other subscribers join the topic.',
  },
} as const satisfies Record<string, TextSetting>;

/**
 * What `env=local` does not look at: nothing of it is felt by a caller on this machine, and a value in cdk.json must not
 * keep `npm start` from running.
 */
const DEPLOYED_ONLY: ReadonlySet<string> = new Set([
  'alarms',
  'dashboard',
  'waf',
  'accessLogs',
  'tracing',
  'loginReservedConcurrency',
  ...Object.keys(TEXTS),
]);

type StackSettings = {
  readonly [Name in keyof typeof CHOICES]: (typeof CHOICES)[Name]['choices'][number];
} & { readonly [Name in keyof typeof NUMBERS]: number };

export interface CustomDomain {
  readonly name: string;
  readonly certificateArn: string;
}

/** Everything a stack is made from, checked. */
export interface Deployment {
  readonly environment: Environment;
  /** Base URL that tokens name as `iss`; without it, the API's own URL: its custom domain, or its execute-api endpoint. */
  readonly issuer: string | undefined;
  /** The identity in Amazon SES that mails are sent as; undefined where no mail is sent. */
  readonly mailIdentity: string | undefined;
  readonly domain: CustomDomain | undefined;
  readonly alarmEmail: string | undefined;
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
  const given = (name: string) => textOf(name, context(name));
  const environment = oneOf('env', ENVIRONMENTS, given('env') ?? 'dev');
  const text = (name: string) => (environment === 'local' && DEPLOYED_ONLY.has(name) ? undefined : given(name));

  const fn = <Name extends SettingName>(name: Name) => settingFrom(name, text(name), 'deploy');
  const functions = {
    audience: fn('audience'),
    clientId: fn('clientId'),
    signingAlgorithm: fn('signingAlgorithm'),
    signing: fn('signing'),
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
    cookieMode: settingFrom('cookieMode', text('cookieMode') ?? COOKIE_MODE[environment], 'deploy'),
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
    docs: choice('docs', CHOICES.docs),
    demoPage: choice('demoPage', CHOICES.demoPage),
    logRetentionDays: choice('logRetentionDays', CHOICES.logRetentionDays),
    pepperRotationDays: choice('pepperRotationDays', CHOICES.pepperRotationDays),
    alarms: choice('alarms', CHOICES.alarms),
    dashboard: choice('dashboard', CHOICES.dashboard),
    waf: choice('waf', CHOICES.waf),
    accessLogs: choice('accessLogs', CHOICES.accessLogs),
    apiLogRole: choice('apiLogRole', CHOICES.apiLogRole),
    tracing: choice('tracing', CHOICES.tracing),
    loginMemory: number('loginMemory'),
    functionMemory: number('functionMemory'),
    keyRotationDays: number('keyRotationDays'),
    authorizerCacheSeconds: number('authorizerCacheSeconds'),
    throttleRate: number('throttleRate'),
    throttleBurst: number('throttleBurst'),
    loginThrottleRate: number('loginThrottleRate'),
    loginThrottleBurst: number('loginThrottleBurst'),
    loginReservedConcurrency: number('loginReservedConcurrency'),
    wafRateLimit: number('wafRateLimit'),
    wafLoginRateLimit: number('wafLoginRateLimit'),
  };

  const free = (name: keyof typeof TEXTS) => matching(name, TEXTS[name], text(name));
  const domain = domainFrom(free('domainName'), free('certificateArn'));
  if (functions.cookieMode === 'on' && environment !== 'local') checkCookieMode(functions.corsOrigin, domain?.name);
  return {
    environment,
    issuer: issuerFrom(text('issuer'), environment),
    domain,
    alarmEmail: free('alarmEmail'),
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
  ...Object.keys(TEXTS),
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

function matching(name: string, { pattern, takes }: TextSetting, text: string | undefined): string | undefined {
  if (text !== undefined && !pattern.test(text))
    throw new RangeError(`Setting ${name} must be ${takes}, not "${text}".`);
  return text;
}

/** A domain without its certificate is half a setting. */
function domainFrom(name: string | undefined, certificateArn: string | undefined): CustomDomain | undefined {
  if (name === undefined && certificateArn === undefined) return undefined;
  if (name === undefined) throw new RangeError('Setting certificateArn needs the setting domainName.');
  if (certificateArn === undefined) throw new RangeError('Setting domainName needs the setting certificateArn.');
  return { name, certificateArn };
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
