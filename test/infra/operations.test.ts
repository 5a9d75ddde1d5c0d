import { expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listOf, membersOf, templateFor } from '../support/template.ts';

const environments = {
  dev: templateFor(),
  staging: templateFor({ env: 'staging' }),
  prod: templateFor({ env: 'prod', alarmEmail: 'on-call@example.com' }),
};
const { prod } = environments;

const FUNCTIONS_FOLDER = fileURLToPath(new URL('../../functions', import.meta.url));
const page = (name: string) => readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), 'utf8');

const alarms = prod.ofType('AWS::CloudWatch::Alarm').map(({ properties }) => ({
  name: String(properties['AlarmName']).replace('Latchkey-prod-', ''),
  section: /^[A-Z].*\. See docs\/runbook\.md, (\w+)\.$/.exec(String(properties['AlarmDescription']))?.[1],
  properties,
}));
const FUNCTIONS = prod.ofType('AWS::Lambda::Function').map(({ path }) => path);

test('there is an alarm for all that matters', () => {
  expect(alarms.map(({ name }) => name).toSorted()).toEqual(
    [
      'TheftRate',
      'ServerErrors',
      'Latency',
      'Throttled',
      ...FUNCTIONS.flatMap((fn) => [`${fn}Errors`, `${fn}Throttles`]),
      ...['Users', 'Sessions'].flatMap((table) => [`${table}SystemErrors`, `${table}TableThrottles`]),
    ].toSorted(),
  );
  expect(FUNCTIONS).toEqual(expect.arrayContaining(['Authorizer', 'MakeKeys', 'Login']));
});

test('every alarm pages when it begins and says when it is over, and silence is no alarm', () => {
  for (const { properties } of alarms) {
    expect(properties).toMatchObject({
      AlarmActions: ['${Alarms}'],
      OKActions: ['${Alarms}'],
      TreatMissingData: 'notBreaching',
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    });
    expect(properties).not.toHaveProperty('ActionsEnabled');
  }
});

test('the topic sends mail where an address is set', () => {
  expect(environments.staging.ofType('AWS::SNS::Subscription')).toEqual([]);
  expect(prod.ofType('AWS::SNS::Subscription').map(({ properties }) => properties)).toEqual([
    { Protocol: 'email', Endpoint: 'on-call@example.com', TopicArn: '${Alarms}' },
  ]);
});

test('one theft is no page, one in a hundred refreshes is', () => {
  const { properties } = alarms.find(({ name }) => name === 'TheftRate')!;
  expect(properties).toMatchObject({ Threshold: 1, EvaluationPeriods: 1 });
  const metrics = listOf(properties['Metrics']).map(membersOf);
  const expression = String(metrics.find(({ Expression }) => Expression !== undefined)!['Expression']);
  expect(rateBy(expression, { thefts: 1, refreshes: 10 })).toBe(0);
  expect(rateBy(expression, { thefts: 4, refreshes: 10 })).toBe(0);
  expect(rateBy(expression, { thefts: 5, refreshes: 495 })).toBe(1);
  expect(rateBy(expression, { thefts: 5, refreshes: 496 })).toBeLessThan(1);
  expect(rateBy(expression, { thefts: 9 })).toBe(100);
  const sources = metrics.flatMap(({ MetricStat }) =>
    MetricStat === undefined ? [] : [membersOf(MetricStat)['Metric']],
  );
  expect(sources).toEqual([
    { Namespace: 'Latchkey/Latchkey-prod', MetricName: 'Theft' },
    { Namespace: 'Latchkey/Latchkey-prod', MetricName: 'Refresh' },
  ]);
});

test('a failed making of keys pages at once, an ordinary function after a few errors', () => {
  const threshold = (name: string) => alarms.find((alarm) => alarm.name === name)!.properties['Threshold'];
  expect(threshold('MakeKeysErrors')).toBe(1);
  expect(threshold('RotateKeysErrors')).toBe(1);
  expect(threshold('AuthorizerErrors')).toBe(5);
  expect(threshold('ProfileErrors')).toBe(5);
});

/** The part of CloudWatch's metric math that the theft alarm uses, at one point in time. */
function rateBy(expression: string, values: Readonly<Record<string, number>>): number {
  const [, few, rate] = /^IF\(FILL\(thefts, 0\) >= (\d+), (.+), 0\)$/.exec(expression)!;
  expect(rate).toBe('100 * FILL(thefts, 0) / (FILL(thefts, 0) + FILL(refreshes, 0))');
  const { thefts = 0, refreshes = 0 } = values;
  return thefts >= Number(few) ? (100 * thefts) / (thefts + refreshes) : 0;
}

test('the runbook has a section for every alarm, and no other', () => {
  const [, ofAlarms] = /^## Alarms$(.+?)(?=^## |(?![^]))/ms.exec(page('runbook.md'))!;
  const sections = [...ofAlarms!.matchAll(/^### (\w+)$/gm)].map(([, name]) => name!);
  const named = new Set(alarms.map(({ section }) => section));
  expect([...named]).not.toContain(undefined);
  expect(new Set(sections)).toEqual(named);
  for (const name of sections) {
    const [text] = new RegExp(`^### ${name}$.+?(?=^###? |(?![^]))`, 'ms').exec(ofAlarms!)!;
    for (const part of ['**It means**', '**Look at**', '**Do**']) expect(`${name}: ${text}`).toContain(part);
  }
});

test('the queries of the runbook ask for events and reasons that the functions log', () => {
  const sources = readdirSync(FUNCTIONS_FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(FUNCTIONS_FOLDER, name), 'utf8'))
    .join('');
  const asked = [...page('runbook.md').matchAll(/\b(?:event|reason) = "([^"]+)"/g)].map(([, name]) => name!);
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.filter((name) => !sources.includes(`'${name}'`))).toEqual([]);
});

test('the dashboard shows what users do, how it feels, what is refused and what it costs', () => {
  const [dashboard, ...others] = prod.ofType('AWS::CloudWatch::Dashboard');
  expect(others).toEqual([]);
  expect(dashboard!.properties['DashboardName']).toBe('Latchkey-prod');
  const body = JSON.stringify(dashboard!.properties['DashboardBody']);
  const shown = (name: string) => body.includes(String.raw`\"${name}\"`);
  const metrics = [
    ...['Login', 'LoginFailed', 'Locked', 'Refresh', 'Fork', 'Adopt', 'Theft', 'Logout', 'LogoutEverywhere'],
    ...['PasswordChanged', 'PasswordChangeFailed', 'SessionEnded', 'Throttled', 'Throttles', 'Errors', 'Count'],
    ...['Registered', 'PasswordReset', 'EmailChanged', 'AccountDeleted', 'MailFailed'],
    ...['Latency', 'p50', 'p99', '5XXError', 'ConsumedWriteCapacityUnits', 'ConsumedReadCapacityUnits', 'Duration'],
  ];
  expect(metrics.filter((name) => !shown(name))).toEqual([]);
});

/** What is left when a stack is deleted, in the words of docs/operations.md. */
const KINDS: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::GlobalTable': 'tables',
  'AWS::SecretsManager::Secret': 'secrets',
  'AWS::SSM::Parameter': 'public keys',
  'AWS::Logs::LogGroup': 'log groups',
  'AWS::IAM::Role': 'role of access logs',
  'AWS::ApiGateway::Account': "account's setting of that role",
};

test.each(Object.entries(environments))('docs/operations.md says what cdk destroy leaves of %s', (name, template) => {
  const [, table] = /^## What `cdk destroy` leaves$(.+?)(?=^## |(?![^]))/ms.exec(page('operations.md'))!;
  const rows = table!.split('\n').flatMap((line) => (line.startsWith('|') ? [cellsOf(line)] : []));
  const column = rows[0]!.indexOf(name);
  const said = rows.slice(2).map((cells) => [cells[0]!, cells[column]!]);

  const left = template.resources.filter(({ deletionPolicy }) => String(deletionPolicy).startsWith('Retain'));
  expect(left.filter(({ type }) => !(type in KINDS))).toEqual([]);
  const counted = Object.entries(KINDS).map(([type, kind]) => {
    const count = left.filter((one) => one.type === type).length;
    return [kind, count === 0 ? 'nothing' : String(count)];
  });
  expect(said).toEqual(counted);
});

const cellsOf = (line: string) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('`', ''));

/** US dollars a month in us-east-1, by list price, for a thing that is there and not used. */
const AT_REST: Readonly<Record<string, number>> = {
  'AWS::SecretsManager::Secret': 0.4,
  'AWS::CloudWatch::Dashboard': 3,
  'AWS::WAFv2::WebACL': 5,
};
const PER_RULE_OF_FIREWALL = 1;
const PER_METRIC_OF_ALARM = 0.1;

test.each(Object.entries(environments))('docs/scale-and-cost.md says what %s costs at rest', (name, template) => {
  const things = template.resources.reduce((sum, { type }) => sum + (AT_REST[type] ?? 0), 0);
  const rules = template.ofType('AWS::WAFv2::WebACL').flatMap(({ properties }) => listOf(properties['Rules'])).length;
  const watched = template
    .ofType('AWS::CloudWatch::Alarm')
    .reduce((sum, { properties }) => sum + metricsWatchedBy(properties), 0);
  const dollars = things + rules * PER_RULE_OF_FIREWALL + watched * PER_METRIC_OF_ALARM;

  const row = page('scale-and-cost.md')
    .split('\n')
    .find((line) => line.startsWith(`| \`${name}\``));
  expect(cellsOf(row!).at(-1)).toBe(`${dollars.toFixed(2)} USD`);
});

const metricsWatchedBy = ({ Metrics }: Readonly<Record<string, unknown>>): number =>
  Metrics === undefined ? 1 : listOf(Metrics).filter((one) => 'MetricStat' in membersOf(one)).length;

/** US dollars for a million: units of DynamoDB, requests and GB-seconds of Lambda, requests of API Gateway. */
const MILLION = { written: 0.625, read: 0.125, invoked: 0.2, gigabyteSecond: 13.3334, request: 3.5 };
/** US dollars for a million requests' logs, and for the firewall and the access log. */
const LOGS = 0.65;
const AT_THE_EDGE = 0.825;

test('docs/scale-and-cost.md sums right what a million requests cost', () => {
  const rows = page('scale-and-cost.md')
    .split('\n')
    .map(cellsOf)
    .filter((cells) => cells.length === 9 && /^\d$/.test(cells[1]!));
  const names = ['logins', 'refused logins', 'refreshes', 'verified calls', 'logouts', 'offline verifications'];
  expect(rows.map(([name]) => name)).toEqual(names);
  for (const [name, writes, reads, ...dollars] of rows) {
    const gigabyteSeconds = name!.includes('login') ? (1_769 / 1_024) * 0.3 : 0.5 * 0.02;
    const parts = [
      MILLION.request,
      MILLION.invoked + gigabyteSeconds * MILLION.gigabyteSecond,
      Number(writes) * MILLION.written + Number(reads) * MILLION.read,
      LOGS,
      AT_THE_EDGE,
    ];
    const all = [...parts, parts.reduce((sum, part) => sum + part, 0)];
    const wanted = name!.startsWith('offline') ? all.map(() => 0) : all;
    expect([name, ...dollars]).toEqual([name, ...wanted.map((one) => (Math.round(one * 100) / 100).toFixed(2))]);
  }
});
