import { describe, expect, test } from '@jest/globals';
import { rmSync } from 'node:fs';
import { SETTINGS } from '../../functions/shared/domain/settings.ts';
import { CONTEXT_NAMES, ENVIRONMENTS, deploymentFrom } from '../../infra/deployment-settings.ts';
import { synthesize, type Context } from '../support/template.ts';

const from = (context: Context) => deploymentFrom((name) => context[name]);

test('without any context it is dev, with every default', () => {
  const { environment, issuer, functions, stack } = from({});
  expect([environment, issuer]).toEqual(['dev', undefined]);
  expect(functions).toEqual(Object.fromEntries(Object.entries(SETTINGS).map(([name, one]) => [name, one.default])));
  expect(stack).toMatchObject({ removalPolicy: 'destroy', deletionProtection: 'off', loginMemory: 1769 });
});

test('what is thrown away and what is kept follows the environment, and may be said otherwise', () => {
  const summary = (context: Context) => {
    const { removalPolicy, deletionProtection, pointInTimeRecovery } = from(context).stack;
    return `${removalPolicy} ${deletionProtection} ${pointInTimeRecovery}`;
  };
  expect(ENVIRONMENTS.map((env) => summary({ env }))).toEqual([
    'destroy off off',
    'destroy off off',
    'retain on on',
    'retain on on',
  ]);
  expect(summary({ env: 'prod', deletionProtection: 'off' })).toBe('retain off on');
});

test('the demo page is for a local run, unless somebody asks for it', () => {
  expect(ENVIRONMENTS.map((env) => from({ env }).stack.demoPage)).toEqual(['on', 'off', 'off', 'off']);
  expect(from({ env: 'staging', demoPage: 'on' }).stack.demoPage).toBe('on');
});

test('a number from cdk.json is as good as a text from the command line', () => {
  expect(from({ bcryptCost: 12, functionMemory: 256 })).toMatchObject({
    functions: { bcryptCost: 12 },
    stack: { functionMemory: 256 },
  });
});

test.each<Context>([
  { env: 'production' },
  { bcryptCost: '4' },
  { bcryptCost: '16' },
  { accessTokenLifetime: '59' },
  { accessTokenLifetime: '3601' },
  { accessTokenLifetime: '15m' },
  { sessionIdleLifetime: '3599' },
  { sessionLifetime: '' },
  { signingAlgorithm: 'HS256' },
  { signingAlgorithm: 'none' },
  { signing: 'KMS' },
  { signing: 'hsm' },
  { keyPublicationTime: '10799' },
  { keyRefreshInterval: '301' },
  { keyMaxStale: '599' },
  { keyRotationDays: '6' },
  { keyRotationDays: '366' },
  { pepperRotationDays: '1' },
  { clientPrint: 'address' },
  { corsOrigin: 'app.example.com' },
  { corsOrigin: "https://a'b.example.com" },
  { cookieMode: 'yes' },
  { cookieMode: 'on' },
  { passwordMinLength: '7' },
  { mailFrom: 'Latchkey <auth@example.com>' },
  { mailFrom: 'auth@example.com\nBcc: x@example.com' },
  { mailFrom: '' },
  { mailIdentity: 'example.com' },
  { mailIdentity: 'other.com', mailFrom: 'auth@example.com' },
  { verifyLink: 'https://app.example.com/verify' },
  { resetLink: 'http://app.example.com/reset?token={token}' },
  { resetLink: 'http://localhost.example.com/reset?token={token}' },
  { resetLink: 'https://app.example.com/a b?token={token}' },
  { resetLink: 'https://app.example.com/?a={token}&b={token}' },
  { resetLink: 'javascript:{token}' },
  { resetAnswerTime: '999' },
  { audience: '' },
  { removalPolicy: 'snapshot' },
  { deletionProtection: 'true' },
  { deletionProtection: true },
  { pointInTimeRecovery: null },
  { logRetentionDays: '8' },
  { loginMemory: '128' },
  { functionMemory: '64' },
  { functionMemory: '512.5' },
  { functionMemory: '1e3' },
  { authorizerCacheSeconds: '61' },
  { authorizerCacheSeconds: '-1' },
  { throttleRate: '0' },
  { loginThrottleBurst: '5001' },
  { loginReservedConcurrency: '-1' },
  { wafRateLimit: '9' },
  { wafLoginRateLimit: '1000000' },
  { alarms: 'yes' },
  { dashboard: '' },
  { waf: 'count' },
  { accessLogs: true },
  { apiLogRole: 'mine' },
  { tracing: 'active' },
  { alarmEmail: 'on-call' },
  { alarmEmail: 'a@example.com,b@example.com' },
  { domainName: 'https://id.example.com' },
  { domainName: 'ID.example.com' },
  { domainName: 'localhost' },
  { certificateArn: 'arn:aws:iam::123456789012:server-certificate/x' },
  { domainName: 'id.example.com' },
  { certificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/0a1b' },
  { issuer: 'http://id.example.com' },
  { issuer: 'https://id.example.com/' },
  { issuer: 'https://id.example.com?x=1' },
  { issuer: 'https://id.example.com#x' },
  { issuer: 'id.example.com' },
  { issuer: 'https://me@id.example.com' },
])('%j is refused, by name', (context) => {
  const [name] = Object.keys(context);
  expect(() => from(context)).toThrow(RangeError);
  expect(() => from(context)).toThrow(new RegExp(`^Setting ${name!}\\b`));
});

test.each([
  'none',
  'https://app.example.com/reset?token={token}',
  'https://app.example.com/#/reset/{token}/now',
  'com.example.app://reset?token={token}',
  'http://localhost:3000/reset?token={token}',
  'http://127.0.0.1/reset?token={token}',
])('a mail may lead to %s', (resetLink) => {
  expect(from({ resetLink }).functions.resetLink).toBe(resetLink);
});

test('mails come from the domain that is verified unless the address itself is; a local run has an address', () => {
  const identity = (context: Context) => from(context).mailIdentity;
  expect(identity({})).toBeUndefined();
  expect(identity({ mailFrom: 'auth@mail.example.com' })).toBe('mail.example.com');
  expect(identity({ mailFrom: 'auth@example.com', mailIdentity: 'auth@example.com' })).toBe('auth@example.com');
  expect(identity({ env: 'local' })).toBe('example.com');
  expect(identity({ env: 'local', mailFrom: 'none' })).toBeUndefined();
});

describe('cookie mode', () => {
  const SITE = {
    env: 'prod',
    cookieMode: 'on',
    domainName: 'auth.example.co.uk',
    certificateArn: 'arn:aws:acm:eu-west-2:123456789012:certificate/0a1b',
  };

  test.each([
    'https://example.co.uk',
    'https://app.example.co.uk',
    'https://auth.example.co.uk:8443',
    'https://example.co.uk https://www.example.co.uk https://a.b.example.co.uk',
  ])('may be on for pages of the same site: %s', (corsOrigin) => {
    expect(from({ ...SITE, corsOrigin }).functions).toMatchObject({ cookieMode: 'on', corsOrigin });
  });

  test.each<[string, Context, string]>([
    [
      'without a custom domain',
      { domainName: undefined, certificateArn: undefined, corsOrigin: 'https://app.example.co.uk' },
      'domainName',
    ],
    ['for every origin', {}, 'corsOrigin to name'],
    ['for every origin, said so', { corsOrigin: '*' }, 'corsOrigin to name'],
    [
      'over plain HTTP',
      { corsOrigin: 'https://example.co.uk http://app.example.co.uk' },
      'https origins in the setting corsOrigin, not "http://app.example.co.uk"',
    ],
    [
      'for a machine',
      { corsOrigin: 'https://example.co.uk https://localhost:3000' },
      'domainName ("auth.example.co.uk") in corsOrigin, not "https://localhost:3000"',
    ],
    ['for an address', { corsOrigin: 'https://192.0.2.1' }, 'not "https://192.0.2.1"'],
    ['for another site', { corsOrigin: 'https://example.com' }, 'not "https://example.com"'],
    ['for one that only ends alike', { corsOrigin: 'https://myexample.co.uk' }, 'not "https://myexample.co.uk"'],
    [
      'for one with no more than a public suffix in common',
      { corsOrigin: 'https://other.co.uk' },
      'not "https://other.co.uk"',
    ],
    [
      'for one with a private suffix in common',
      { domainName: 'auth.github.io', corsOrigin: 'https://app.github.io' },
      'not "https://app.github.io"',
    ],
    [
      'for a suffix itself',
      { domainName: 'auth.github.io', corsOrigin: 'https://github.io' },
      'not "https://github.io"',
    ],
  ])('is refused %s, by the name of the setting that stands in the way', (_why, context, words) => {
    const wanted = { ...SITE, ...context };
    expect(() => from(wanted)).toThrow(RangeError);
    expect(() => from(wanted)).toThrow(/^Setting cookieMode "on" needs /);
    expect(() => from(wanted)).toThrow(words);
    // Without it, the same is nobody's business.
    expect(from({ ...wanted, cookieMode: 'off' }).functions.cookieMode).toBe('off');
  });

  test('is off unless it is asked for, and on for a run on this machine, which needs nothing for it', () => {
    expect(ENVIRONMENTS.map((env) => from({ env }).functions.cookieMode)).toEqual(['on', 'off', 'off', 'off']);
    expect(from({ ...SITE, env: 'local', corsOrigin: 'http://localhost:5173' }).functions.cookieMode).toBe('on');
    expect(from({ env: 'local', cookieMode: 'off' }).functions.cookieMode).toBe('off');
  });
});

test('every setting is looked at', () => {
  const asked = new Set<string>();
  deploymentFrom((name) => void asked.add(name));
  expect([...asked].toSorted()).toEqual(CONTEXT_NAMES.toSorted());
});

test('an issuer is https, with a path at most; http is for this machine only', () => {
  expect(from({ issuer: 'https://id.example.com/auth' }).issuer).toBe('https://id.example.com/auth');
  expect(from({ env: 'local', issuer: 'http://127.0.0.1:3000' }).issuer).toBe('http://127.0.0.1:3000');
});

test('what watches and guards is off in dev, where it would cost more than all the rest', () => {
  const summary = (context: Context) => {
    const { alarms, dashboard, accessLogs, waf, tracing, loginReservedConcurrency } = from(context).stack;
    return [alarms, dashboard, accessLogs, waf, tracing, loginReservedConcurrency].join(' ');
  };
  expect(ENVIRONMENTS.map((env) => summary({ env }))).toEqual([
    'off off off off off 0',
    'off off off off off 0',
    'on on on off off 0',
    'on on on on off 100',
  ]);
  const given = { alarms: 'on', dashboard: 'on', accessLogs: 'on', waf: 'on', tracing: 'on' };
  expect(summary({ ...given, loginReservedConcurrency: '5' })).toBe('on on on on on 5');
  // A team's cdk.json sets them for its account; a run on this machine has none.
  const edge = { domainName: 'id.example.com', alarmEmail: 'on-call@example.com' };
  expect(summary({ env: 'local', ...given, loginReservedConcurrency: '5' })).toBe('off off off off off 0');
  expect(from({ env: 'local', ...edge })).toMatchObject({ domain: undefined, alarmEmail: undefined });
});

test('what lives longer may not end sooner', () => {
  expect(() => from({ sessionIdleLifetime: '7200', sessionLifetime: '7199' })).toThrow(
    'Setting sessionIdleLifetime (7200 s) must not be longer than sessionLifetime (7199 s).',
  );
  expect(from({ sessionIdleLifetime: '7200', sessionLifetime: '7200' }).functions.sessionLifetime).toBe(7200);
  // The ranges alone keep an access token from outliving an idle session; should they change, this rule is there.
  const { accessTokenLifetime, sessionIdleLifetime } = SETTINGS;
  expect(accessTokenLifetime.deployable[1]).toBeLessThanOrEqual(sessionIdleLifetime.deployable[0]);
});

test('a wrong value fails synth with one line that names the setting, and writes no template', () => {
  const { status, errors, folder } = synthesize({ bcryptCost: '4' }, false);
  rmSync(folder, { recursive: true });
  expect(status).toBe(1);
  expect(errors).toBe(
    'Setting bcryptCost (BCRYPT_COST) must be a whole number of rounds (log2) from 10 to 15, not "4".\n',
  );
});
