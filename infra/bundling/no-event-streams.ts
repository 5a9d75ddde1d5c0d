/**
 * Stands in for `@smithy/core/event-streams` in a bundle. The client loads it at the first operation that streams
 * events, and neither DynamoDB, Secrets Manager nor Parameter Store has one.
 */
export function EventStreamSerde(): never {
  throw new Error('This bundle carries no event streams.');
}
