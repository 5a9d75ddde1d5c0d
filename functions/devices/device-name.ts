import Bowser from 'bowser';

const LONGEST = 80;

/** A user agent in words a person recognizes: `Firefox on Windows`, else the name the application gave itself. */
export function deviceName(userAgent: string): string {
  if (userAgent === '') return 'Unknown device';
  const { browser, os } = Bowser.parse(userAgent);
  if (browser.name && os.name) return `${browser.name} on ${os.name}`;
  const [product] = userAgent.split(/[\s/;(]/);
  return (browser.name || product || 'Unknown device').replace(/\p{C}/gu, '').slice(0, LONGEST) || 'Unknown device';
}
