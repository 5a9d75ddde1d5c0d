/** Shows what goes to the server. An application has no need of this file. */
import { element } from './elements.ts';

/** More would be a log, not a glance. */
const SHOWN = 10;

const list = element('requests');
const nothing = element('no-requests');

let isRefused = false;

/** Plays a server that refuses the token of the next request, as one does to a token that is too old for it. */
export function refuseNext(): void {
  isRefused = true;
}

/** The platform's `fetch`, noted in a list on the page. */
export const recorded: typeof fetch = async (input, init) => {
  const request = new Request(input, init);
  const said = note(`${request.method} ${new URL(request.url).pathname}`);
  if (isRefused && request.headers.has('authorization')) {
    isRefused = false;
    said('401, played');
    return new Response(null, { status: 401 });
  }
  try {
    const answer = await fetch(request);
    said(String(answer.status));
    return answer;
  } catch (error) {
    said('no answer');
    throw error;
  }
};

/** @returns what takes the outcome */
function note(line: string): (outcome: string) => void {
  const time = document.createElement('time');
  const now = new Date();
  time.dateTime = now.toISOString();
  time.textContent = now.toLocaleTimeString();
  const [what, outcome] = [document.createElement('span'), document.createElement('span')];
  what.textContent = line;
  outcome.textContent = '…';
  const item = document.createElement('li');
  item.append(time, what, outcome);
  list.prepend(item);
  list.children[SHOWN]?.remove();
  nothing.hidden = true;
  return (text) => (outcome.textContent = text);
}
