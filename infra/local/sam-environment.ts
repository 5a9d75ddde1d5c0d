import type { Assembly } from './assembly.ts';
import { type Fields, fieldsOf, isFields, textsOf } from './fields.ts';

/**
 * What `sam local --env-vars` has to be told, by the logical id of each function: where the services of this machine are,
 * and every value that SAM would resolve to something else than the local stack does (it makes a `Ref` the logical id).
 * Only variables that the template declares, because SAM sets no others.
 *
 * @param services values of variables that name a service or the issuer
 */
export function samEnvironment(
  assembly: Assembly,
  services: Readonly<Record<string, string>>,
): Record<string, Record<string, string>> {
  const declared = (properties: Fields, id: string) => fieldsOf(properties['Environment'] ?? {}, id)['Variables'];
  return Object.fromEntries(
    assembly.ofType('AWS::Lambda::Function').map(({ id, properties }) => {
      const asWritten = fieldsOf(
        declared(fieldsOf(assembly.template.resources.get(id)?.properties, id), id) ?? {},
        `${id}.Environment`,
      );
      const resolved = Object.entries(textsOf(declared(properties, id), `${id}.Environment`));
      return [
        id,
        Object.fromEntries(
          resolved
            .filter(([name]) => Object.hasOwn(services, name) || isFields(asWritten[name]))
            .map(([name, value]) => [name, services[name] ?? value]),
        ),
      ];
    }),
  );
}
