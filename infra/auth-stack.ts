import { CfnOutput, Stack } from 'aws-cdk-lib/core';
import type { App } from 'aws-cdk-lib/core';
import { authFunction } from './auth-function.ts';
import type { Deployment } from './deployment-settings.ts';
import { UNROUTED, endpointsOf, methodsByPath, type FunctionRow } from './endpoints.ts';
import { gatewayResponses } from './gateway-responses.ts';
import { addFallback, addRoutes, baseUrl, restApi, tokenAuthorizer } from './gateway.ts';
import { keyRing } from './key-ring.ts';
import { mail } from './mail.ts';
import { standInFor } from './stand-ins.ts';
import { sessionsTable, usersTable } from './tables.ts';

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
    const issuer = deployment.issuer ?? baseUrl(this, api);
    const make = (name: string, row: FunctionRow) => {
      const fn = authFunction(this, name, row, deployment, issuer);
      row.lend?.(fn, lenders);
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
    gatewayResponses(api, deployment.functions.corsOrigin);

    const output = (name: string, value: string, description: string) =>
      new CfnOutput(this, name, { value, description });
    output('ApiUrl', baseUrl(this, api), 'Base URL of the API');
    output('Issuer', issuer, 'What tokens name as iss');
    output('UsersTable', lenders.users.table.tableName, 'Table of users');
    output('SessionsTable', lenders.sessions.table.tableName, 'Table of sessions');
    output('PeppersSecret', lenders.keyRing.secrets.peppers.secretArn, 'Secret of the peppers');
    output('SigningKeysSecret', lenders.keyRing.secrets.signingKeys.secretArn, 'Secret of the signing keys');
    output('RefreshSecretsSecret', lenders.keyRing.secrets.refreshSecrets.secretArn, 'Secret of the refresh secrets');
    output('PublicKeysParameter', lenders.keyRing.publicKeys.parameterName, 'Parameter of the public keys');
  }
}
