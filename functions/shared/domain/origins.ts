/** What the setting `corsOrigin` says that stands for every origin. */
export const ANY_ORIGIN = '*';

/**
 * The origins that the setting `corsOrigin` names, as browsers write them (RFC 6454 section 6.2); none where every origin
 * may call the API, because that trusts nobody in particular.
 */
export const originsNamed = (corsOrigin: string): readonly string[] =>
  corsOrigin === ANY_ORIGIN ? [] : corsOrigin.split(' ');
