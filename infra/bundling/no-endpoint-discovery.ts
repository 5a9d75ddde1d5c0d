/**
 * Stands in for `@aws-sdk/middleware-endpoint-discovery` in a bundle. DynamoDB's client only configures it, and no
 * command of DynamoDB has used it for years: an endpoint follows from the region, or is given.
 */
export const resolveEndpointDiscoveryConfig = <Config>(config: Config): Config => config;

/** The form in which the client looks a setting up; this one is never set. */
export const NODE_ENDPOINT_DISCOVERY_CONFIG_OPTIONS = {
  environmentVariableSelector: () => undefined,
  configFileSelector: () => undefined,
  default: undefined,
};
