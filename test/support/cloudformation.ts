import { createServer, type Server } from 'node:http';

const XMLNS = 'xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"';

/**
 * Answers DescribeStacks as CloudFormation does (query protocol).
 *
 * @param outputsOf the outputs of a stack, undefined where there is none of that name
 */
export function cloudFormationStandIn(
  outputsOf: (stack: string) => Readonly<Record<string, string>> | undefined,
): Server {
  return createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const name = new URLSearchParams(body).get('StackName') ?? '';
      const outputs = outputsOf(name);
      response.statusCode = outputs === undefined ? 400 : 200;
      response.end(outputs === undefined ? unknownStack(name) : describedStack(name, outputs));
    });
  });
}

const unknownStack = (name: string) => `<ErrorResponse ${XMLNS}><Error><Type>Sender</Type><Code>ValidationError</Code>
  <Message>Stack with id ${name} does not exist</Message></Error><RequestId>1</RequestId></ErrorResponse>`;

function describedStack(name: string, outputs: Readonly<Record<string, string>>): string {
  const members = Object.entries(outputs).map(
    ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  return `<DescribeStacksResponse ${XMLNS}><DescribeStacksResult><Stacks><member><StackName>${name}</StackName>
    <Outputs>${members.join('')}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`;
}
