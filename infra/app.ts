/** What cdk.json starts: one stack for each environment, `-c env=dev|staging|prod|local`. */
import { App } from 'aws-cdk-lib/core';
import { AuthStack } from './auth-stack.ts';
import { deploymentFrom, type Deployment } from './deployment-settings.ts';

const app = new App();
const deployment = checkedDeployment();
new AuthStack(app, `Latchkey-${deployment.environment}`, deployment);

/** A wrong setting is the caller's mistake: the message is enough, a stack trace would hide it. */
function checkedDeployment(): Deployment {
  try {
    return deploymentFrom((name) => app.node.tryGetContext(name));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
