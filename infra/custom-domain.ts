import { CfnOutput, type Stack } from 'aws-cdk-lib/core';
import { BasePathMapping, DomainName, EndpointType, type RestApi, SecurityPolicy } from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { CustomDomain } from './deployment-settings.ts';

/** Puts a domain in front of the API, with TLS 1.2 or newer. Its DNS record is the owner's, whose target is an output. */
export function customDomain(stack: Stack, api: RestApi, { name, certificateArn }: CustomDomain): void {
  const domain = new DomainName(stack, 'Domain', {
    domainName: name,
    certificate: Certificate.fromCertificateArn(stack, 'Certificate', certificateArn),
    endpointType: EndpointType.REGIONAL,
    securityPolicy: SecurityPolicy.TLS_1_2,
  });
  new BasePathMapping(stack, 'DomainToStage', { domainName: domain, restApi: api, stage: api.deploymentStage });
  new CfnOutput(stack, 'DomainTarget', {
    value: domain.domainNameAliasDomainName,
    description: 'What the DNS record of the custom domain leads to',
  });
  new CfnOutput(stack, 'DomainTargetZone', {
    value: domain.domainNameAliasHostedZoneId,
    description: 'Hosted zone of that target, for an alias record of Route 53',
  });
}
