/** The account of the user: its profile, its pass-phrase, and how one comes by it. */
import { ask, textOf } from './api.ts';
import { auth } from './auth.ts';
import { timeOf } from './devices.ts';
import { announce, element, within } from './elements.ts';
import { onSubmit } from './form.ts';

const displayName = within(document, 'input', '#profile-name');
const usernameForManagers = within(document, 'input', '[name=username][hidden]');

export async function showProfile(): Promise<void> {
  const { username, display_name, created_at } = await ask('GET', '/api/profile');
  element('greeting').textContent = `Hello, ${textOf(display_name) || textOf(username)}`;
  element('profile-username').textContent = textOf(username);
  element('profile-since').textContent = timeOf(created_at);
  displayName.value = textOf(display_name);
  usernameForManagers.value = textOf(username);
}

/** Lets the forms do their work. */
export function startAccount(): void {
  onSubmit(within(document, 'form', '#login'), async ({ username = '', password = '' }) => {
    await auth.login({ username, password });
  });

  onSubmit(within(document, 'form', '#signup'), async ({ username = '', password = '' }) => {
    await ask('POST', '/api/users', { username, password });
    await auth.login({ username, password });
  });

  onSubmit(within(document, 'form', '#profile'), async ({ display_name = '' }) => {
    await ask('PATCH', '/api/profile', { display_name: display_name.trim() || null });
    await showProfile();
    announce('Your display name is saved.');
  });

  onSubmit(within(document, 'form', '#password'), async ({ current_password = '', new_password = '' }) => {
    await auth.changePassword({ current_password, new_password });
    announce('Your password is changed, and every other device is logged out.');
  });
}
