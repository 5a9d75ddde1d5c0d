/**
 * Stands in for `@aws-sdk/signature-v4-multi-region` in a bundle. The SES client takes it as its signer for the sake of
 * endpoints that span regions, which need a package of their own to sign for; ours is of one region.
 */
import { SignatureV4 } from '@smithy/signature-v4';

export class SignatureV4MultiRegion extends SignatureV4 {
  /** Asked by the client before it offers the scheme for several regions. */
  static sigv4aDependency = (): 'none' => 'none';
}
