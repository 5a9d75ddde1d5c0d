import { within } from './elements.ts';
import { troubleOf } from './trouble.ts';

type Values = Readonly<Record<string, string>>;

/**
 * Does something when a form is sent, once at a time. What the server says of a field goes next to it, what it says of all
 * to the form's alert, and the focus to the first field that is wrong.
 *
 * @param send gets the values by the names of the fields
 */
export function onSubmit(form: HTMLFormElement, send: (values: Values) => Promise<void>): void {
  const button = within(form, 'button');
  const alert = within(form, 'p', '[role=alert]');
  const inputs = [...form.querySelectorAll('input')];
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    for (const input of inputs) mark(input, '');
    void busy(button, alert, async () => {
      try {
        await send(Object.fromEntries(inputs.map(({ name, value }) => [name, value])));
      } catch (error) {
        const { fields } = troubleOf(error);
        for (const input of inputs) mark(input, fields.get(input.name) ?? '');
        inputs.find(({ name }) => fields.has(name))?.focus();
        throw error;
      }
    });
  });
}

/** Does something when a button is pressed, once at a time, and shows in an alert why it could not be done. */
export function onPress(button: HTMLElement, alert: HTMLElement, act: () => Promise<void>): void {
  button.addEventListener('click', () => void busy(button, alert, act));
}

/** Not `disabled`, which would throw the focus away. */
async function busy(button: HTMLElement, alert: HTMLElement, act: () => Promise<void>): Promise<void> {
  if (button.ariaDisabled === 'true') return;
  button.ariaDisabled = 'true';
  alert.textContent = '';
  try {
    await act();
  } catch (error) {
    alert.textContent = troubleOf(error).sentence;
  } finally {
    button.ariaDisabled = null;
  }
}

/** Puts a message under a field, and ties it to it; an empty one takes it away. */
function mark(input: HTMLInputElement, message: string): void {
  const id = `${input.id}-error`;
  const found = document.getElementById(id);
  input.ariaInvalid = message ? 'true' : null;
  const described = new Set((input.getAttribute('aria-describedby') ?? '').split(' ').filter(Boolean));
  if (!message) {
    found?.remove();
    described.delete(id);
  } else {
    const shown = found ?? document.createElement('p');
    shown.id = id;
    shown.className = 'error';
    shown.textContent = message;
    input.after(shown);
    described.add(id);
  }
  if (described.size > 0) input.setAttribute('aria-describedby', [...described].join(' '));
  else input.removeAttribute('aria-describedby');
}
