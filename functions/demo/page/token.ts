/** The access token: what it says, and how much of its life is left. */
import { ask, membersIn, textOf } from './api.ts';
import { auth } from './auth.ts';
import { announce, element, within } from './elements.ts';
import { onPress } from './form.ts';
import { refuseNext } from './requests.ts';

const [left, whole, claims] = [element('token-left'), element('token-whole'), element('token-claims')];
const life = within(document, 'progress');

/** In milliseconds since 1970. This machine's clock is good enough to show; the client itself does not rely on it. */
let [began, ends] = [0, 0];

/** Shows the token in use. It is none of a page's business but to show it: nobody but a server can trust what it reads. */
export async function showToken(): Promise<void> {
  const token = await auth.accessToken();
  if (token === undefined) return;
  const [header, payload] = token.split('.').map((part) => membersIn(decoded(part)));
  claims.textContent = `${JSON.stringify(header, null, 2)}\n${JSON.stringify(payload, null, 2)}`;
  [began, ends] = [Number(payload?.['iat']) * 1000, Number(payload?.['exp']) * 1000];
  tick();
}

function tick(): void {
  const rest = Math.max(0, ends - Date.now());
  left.textContent = rest > 0 ? inWords(rest) : 'At its end.';
  whole.textContent = rest > 0 ? `left of ${inWords(ends - began)}` : 'The next request gets a new one first.';
  life.value = rest / (ends - began || 1);
}

function inWords(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  return [minutes > 0 && `${minutes} min`, (seconds % 60 > 0 || minutes === 0) && `${seconds % 60} s`]
    .filter(Boolean)
    .join(' ');
}

/** base64url, as the parts of a JWT are (RFC 7515 section 2). */
function decoded(part: string): string {
  const bytes = atob(part.replace(/-/g, '+').replace(/_/g, '/'));
  return new TextDecoder().decode(Uint8Array.from(bytes, (one) => one.charCodeAt(0)));
}

/** Makes a request that takes the token. */
async function call(): Promise<void> {
  const { username } = await ask('GET', '/api/profile');
  announce(`The API answered: you are ${textOf(username)}.`);
  await showToken();
}

/** Lets the card do its work. */
export function startToken(): void {
  setInterval(tick, 1000);
  const alert = element('token-error');
  onPress(element('call'), alert, call);
  // The client has no word for it: it refreshes by itself, when a token ends or somebody refuses it.
  onPress(element('refresh'), alert, async () => {
    refuseNext();
    await call();
  });
  // Another tab may have got a new one meanwhile.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') showToken().catch(() => undefined);
  });
}
