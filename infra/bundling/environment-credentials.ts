/**
 * Stands in for `@aws-sdk/credential-provider-node` in a bundle. Lambda hands a function its credentials in the
 * environment and nowhere else, so the rest of the chain (profiles, SSO, instance metadata: 135 kB) is never asked.
 */
interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** @returns a provider that rejects, with a message that names the variables, where there are no credentials */
export const defaultProvider = () => (): Promise<Credentials> => {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN } = process.env;
  if (!accessKeyId || !secretAccessKey) {
    return Promise.reject(new Error('AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is missing'));
  }
  return Promise.resolve({
    accessKeyId,
    secretAccessKey,
    ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
  });
};
