import { ignore } from './waiting.ts';
import { membersOf } from './held.ts';

/** The part of `BroadcastChannel` that is needed. */
export interface Channel {
  onmessage: unknown;
  postMessage(message: string): void;
  close(): void;
  /** Of Node's: so that it keeps no process alive. */
  unref?(): void;
}

/** The part of `navigator.locks` that is needed. */
export interface TabLocks {
  request(
    name: string,
    options: { readonly signal?: AbortSignal; readonly ifAvailable?: boolean },
    run: (lock: unknown) => unknown,
  ): Promise<unknown>;
}

/** What a page has for tabs to get along with; each may be missing. */
export interface TabPage {
  readonly BroadcastChannel?: new (name: string) => Channel;
  readonly navigator?: { readonly locks?: TabLocks };
}

/** A tab that needs the lock for a login or log out asks who has it to give up its refresh, so often. */
const BEG_MS = 2000;
/** A tab that was frozen while it held the lock holds up the others for so many times that. */
const BEGS = 10;
/** How long a tab that had to wait for the lock waits to hear what came of it: far longer than a message takes. */
const NEWS_MS = 200;

export interface Tabs {
  /** Tells the other tabs what is the case from now on. @param access the access token; none: nobody is logged in */
  readonly tell: (access?: string) => string;
  /** Runs something while no other tab does. @param isUrgent whether refreshes give way to it */
  readonly alone: (run: () => Promise<void>, isUrgent?: boolean) => Promise<void>;
  readonly close: () => void;
}

/**
 * The tabs of a browser, who tell each other of the newest access token from memory to memory.
 *
 * A message is a JSON object: `n`, the later the higher, and `access` with the time `at` of its arrival, if somebody is
 * logged in. Who hears of an older one answers with what it has, so that a message which says nothing yet is a question. An
 * empty one asks to give way.
 */
export function tabsOf(key: string, page: TabPage, hear: (text: string) => void, giveWay: () => void): Tabs {
  const channel = page.BroadcastChannel && new page.BroadcastChannel(key);
  let newest = '{}';
  /** Of `newest`. */
  let last = 0;
  let heard: () => void = ignore;

  const post = () => channel?.postMessage(newest);

  if (channel) {
    channel.unref?.();
    channel.onmessage = ({ data }: { readonly data: unknown }) => {
      const text = String(data);
      const n = Number(membersOf(() => text)['n']) || 0;
      if (!text) giveWay();
      else if (n < last) post();
      else if (n > last) {
        last = n;
        hear((newest = text));
        heard();
      }
    };
  }

  return {
    tell(access) {
      const now = Date.now();
      // Ahead of what a tab says in the same moment that has not heard of a log out, and never the same as another's.
      last = Math.max(last + 1, now + (access ? Math.random() : 1000));
      newest = JSON.stringify({ access, at: now, n: last });
      post();
      return newest;
    },

    async alone(run, isUrgent) {
      const before = newest;
      const limit = new AbortController();
      let running: Promise<void> | undefined;
      const once = () => (running ??= run());
      let left = BEGS;
      const timer = setInterval(() => {
        if (isUrgent) {
          channel?.postMessage('');
          giveWay();
        }
        if ((left -= 1) === 0) limit.abort();
      }, BEG_MS);
      try {
        await page.navigator?.locks?.request(key, { ifAvailable: true }, (lock) => lock && once());
        if (!running)
          await page.navigator?.locks?.request(key, { signal: limit.signal }, async () => {
            // A grant may overtake the message of who had the lock, and a page that was just opened has heard nothing.
            if (newest === before && !isUrgent) {
              post();
              await new Promise<void>((resolve) => {
                heard = resolve;
                setTimeout(resolve, NEWS_MS);
              });
            }
            return once();
          });
      } catch {
        // Refused by the browser, or not got in time. What `run` itself fails with comes now.
      }
      return once().finally(() => clearInterval(timer));
    },

    close: () => channel?.close(),
  };
}
