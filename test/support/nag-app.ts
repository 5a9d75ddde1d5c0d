/**
 * Makes the stack of the context in CDK_CONTEXT_JSON, as infra/app.ts does, and prints one line of JSON about what cdk-nag
 * makes of it: `found` without and `open` with what the stack acknowledges, and `acknowledged` with the reasons.
 */
import { App, Validations } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks, type NagPack, ServerlessChecks } from 'cdk-nag';
import { AuthStack } from '../../infra/auth-stack.ts';
import { deploymentFrom } from '../../infra/deployment-settings.ts';

const app = new App();
const deployment = deploymentFrom((name) => app.node.tryGetContext(name));
const stack = new AuthStack(app, `Latchkey-${deployment.environment}`, deployment);
app.synth();

/** Findings of both packs: `AwsSolutions-APIG4 at Api/Default/ANY/Resource`. */
function findings(change: (pack: NagPack) => void): string[] {
  return [new AwsSolutionsChecks(app), new ServerlessChecks(app)].flatMap((pack) => {
    change(pack);
    return pack
      .validateScope(app)
      .violations.flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map(({ constructPath = '' }) => line(ruleName, constructPath)),
      );
  });
}

const line = (rule: string, path: string) => `${rule} at ${path.slice(stack.node.path.length + 1)}`;

const acknowledged = stack.node.findAll().flatMap(({ node }) =>
  node.metadata
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .flatMap(({ data }) => Object.entries(data as Record<string, string>))
    .map(([rule, reason]) => [line(rule.replace(/^annotation::/i, ''), node.path), reason]),
);

const found = findings((pack) => Object.assign(pack, { isAcknowledged: () => false }));
const open = findings(() => undefined);
process.stdout.write(`${JSON.stringify({ found, open, acknowledged })}\n`);
