/** The demo page: shows whether somebody is logged in, and lets its parts do their work. */
import type { Session } from 'latchkey-client';
import { showProfile, startAccount } from './account.ts';
import { auth, mode } from './auth.ts';
import { showDevices, startDevices } from './devices.ts';
import { announce, element, within } from './elements.ts';
import { onPress } from './form.ts';
import { showToken, startToken } from './token.ts';
import { troubleOf } from './trouble.ts';

const WHY_OUT = {
  none: '',
  logout: 'You are logged out.',
  elsewhere: 'You were logged out in another tab.',
  refused: 'The server has ended this session: on another device, or because it was too old.',
} as const satisfies Record<string, string>;

/** Shows one of the three views. */
function show(session: Session): void {
  for (const status of ['unknown', 'out', 'in'] as const) element(status).hidden = status !== session.status;
  // What was typed in is of no more use, and is not for who comes next.
  for (const form of document.forms) form.reset();
  if (session.status === 'unknown') announce('');
  if (session.status === 'out') announce(WHY_OUT[session.reason]);
  if (session.status === 'in') {
    announce('You are logged in.');
    Promise.all([showToken(), showProfile(), showDevices()]).catch(() => {
      if (auth.session === session)
        announce('You are logged in, but what the server knows of you cannot be had at the moment.');
    });
  }
}

/** Somebody logged in or out, here or in another tab: what had the focus is gone. */
function turn(session: Session): void {
  show(session);
  element(session.status === 'in' ? 'greeting' : 'login-title').focus();
}

async function begin(): Promise<void> {
  const session = await auth.ready().catch((error: unknown) => {
    element('why-unknown').textContent = troubleOf(error).sentence;
    return auth.session;
  });
  show(session);
}

element(`mode-${mode}`).hidden = false;
within(document, 'a', `[href="?mode=${mode}"]`).ariaCurrent = 'page';
startAccount();
startToken();
startDevices();
onPress(element('logout'), element('devices-error'), () => auth.logout());
onPress(element('again'), element('devices-error'), begin);
await begin();
auth.subscribe(turn);
