/**
 * The part of an address that one household or machine has: all of an IPv4 address, the first 64 bits of an IPv6 one
 * (RFC 6177: whoever has one of these has 2^64 addresses to guess from). Any other text stands for itself.
 */
export function addressBlock(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  // An IPv4 address at the end takes the place of two groups; those are never among the first four we keep.
  const width = (text: string) => groups(text).reduce((sum, group) => sum + (group.includes('.') ? 2 : 1), 0);
  const zeros = tail === undefined ? 0 : 8 - width(head) - width(tail);
  const all = [...groups(head), ...Array<string>(Math.max(0, zeros)).fill('0'), ...groups(tail ?? '')];
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
