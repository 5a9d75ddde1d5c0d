/** The sessions of the user: where they are logged in. */
import { ask, membersIn, textOf } from './api.ts';
import { auth } from './auth.ts';
import { announce, element, within } from './elements.ts';
import { onPress } from './form.ts';

const [list, title, alert] = [element('devices'), element('devices-title'), element('devices-error')];
const template = within(document, 'template', '#device');

export async function showDevices(): Promise<void> {
  const { results } = await ask('GET', '/api/sessions');
  list.replaceChildren(...(Array.isArray(results) ? results : []).map((one) => row(JSON.stringify(one))));
}

function row(text: string): DocumentFragment {
  const { id, current, device, address, created_at, last_used_at } = membersIn(text);
  const item = document.importNode(template.content, true);
  within(item, 'strong').textContent = textOf(device);
  within(item, 'span', '.badge').hidden = current !== true;
  within(item, 'p').textContent = `${textOf(address)}, since ${timeOf(created_at)}, last used ${timeOf(last_used_at)}`;
  const end = within(item, 'button');
  end.hidden = current === true;
  end.ariaLabel = `End the session of ${textOf(device)}, since ${timeOf(created_at)}`;
  onPress(end, alert, async () => {
    await ask('DELETE', `/api/sessions/${textOf(id)}`);
    await showDevices();
    title.focus();
    announce(`${textOf(device)} is logged out.`);
  });
  return item;
}

/** In the words of this browser's language. */
export const timeOf = (value: unknown): string =>
  new Date(textOf(value)).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** Lets the buttons of the list do their work. */
export function startDevices(): void {
  onPress(element('end-others'), alert, async () => {
    await ask('DELETE', '/api/sessions?except=current');
    await showDevices();
    announce('Every other device is logged out.');
  });
  onPress(element('end-all'), alert, async () => {
    await ask('DELETE', '/api/sessions');
    // The server ended this session too: nothing is left to do but to forget it here.
    await auth.logout();
    announce('You are logged out everywhere.');
  });
}
