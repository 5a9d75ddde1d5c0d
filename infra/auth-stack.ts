import { CfnOutput, Stack } from 'aws-cdk-lib/core';
import type { App } from 'aws-cdk-lib/core';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { acknowledge } from './acknowledgements.ts';
import { alarms } from './alarms.ts';
import { authFunction } from './auth-function.ts';
import { customDomain } from './custom-domain.ts';
import { dashboard } from './dashboard.ts';
import type { Deployment } from './deployment-settings.ts';
import { UNROUTED, endpointsOf, methodsByPath, type FunctionRow } from './endpoints.ts';
import { gatewayResponses } from './gateway-responses.ts';
import { addFallback, addRoutes, baseUrl, restApi, tokenAuthorizer } from './gateway.ts';
import { keyRing } from './key-ring.ts';
import { mail } from './mail.ts';
import type { Monitored } from './metrics-of.ts';
import { standInFor } from './stand-ins.ts';
import { sessionsTable, usersTable } from './tables.ts';
import { webAcl } from './waf.ts';

/** Everything Latchkey has in an account, for one environment. */
export class AuthStack extends Stack {
  constructor(app: App, id: string, deployment: Deployment) {
    super(app, id, {
      description: `Latchkey, JWT authentication (${deployment.environment})`,
      // Constant: a changed tag is a change of every resource, the published key set included.
      tags: { application: 'latchkey', environment: deployment.environment },
    });

    const lenders = {
      users: usersTable(this, deployment),
      sessions: sessionsTable(this, deployment),
      keyRing: keyRing(this, deployment),
      mail: mail(this, deployment),
    };
    const api = restApi(this, deployment);
    const url = baseUrl(this, api, deployment);
    const issuer = deployment.issuer ?? url;
    const functions: Record<string, LambdaFunction> = {};
    const make = (name: string, row: FunctionRow) => {
      const fn = authFunction(this, name, row, deployment, issuer);
      row.lend?.(fn, lenders);
      functions[fn.node.id] = fn;
      return fn;
    };

    lenders.keyRing.fillWith(make('make-keys', UNROUTED['make-keys']));
    lenders.keyRing.rotateWith(make('rotate-keys', UNROUTED['rotate-keys']));

    const authorizer = make('authorizer', UNROUTED.authorizer);
    standInFor(deployment, authorizer, 'JWKS_URL');
    const bearer = tokenAuthorizer(this, authorizer, deployment);

    for (const [name, endpoint] of endpointsOf(deployment)) {
      addRoutes(this, api, make(name, endpoint), endpoint, bearer);
    }
    const fallback = make('fallback', UNROUTED.fallback);
    fallback.addEnvironment('ROUTES', JSON.stringify(methodsByPath(deployment)));
    addFallback(this, api, fallback);
    gatewayResponses(api, deployment);
    if (deployment.domain !== undefined) customDomain(this, api, deployment.domain);
    if (deployment.stack.waf === 'on') webAcl(this, api, deployment);

    const output = (name: string, value: string, description: string) =>
      new CfnOutput(this, name, { value, description });
    output('ApiUrl', url, 'Base URL of the API');
    output('Issuer', issuer, 'What tokens name as iss');
    output('UsersTable', lenders.users.table.tableName, 'Table of users');
    output('SessionsTable', lenders.sessions.table.tableName, 'Table of sessions');
    output('PeppersSecret', lenders.keyRing.secrets.peppers.secretArn, 'Secret of the peppers');
    output('SigningKeysSecret', lenders.keyRing.secrets.signingKeys.secretArn, 'Secret of the signing keys');
    output('RefreshSecretsSecret', lenders.keyRing.secrets.refreshSecrets.secretArn, 'Secret of the refresh secrets');
    output('PublicKeysParameter', lenders.keyRing.publicKeys.parameterName, 'Parameter of the public keys');

    const tables = { Users: lenders.users.table, Sessions: lenders.sessions.table };
    const monitored: Monitored = { api, functions, tables };
    if (deployment.stack.dashboard === 'on') dashboard(this, monitored, deployment);
    if (deployment.stack.alarms === 'on') {
      output('AlarmTopic', alarms(this, monitored, deployment).topicArn, 'Topic through which the alarms page');
    }
    acknowledge(this, deployment);
  }
}
