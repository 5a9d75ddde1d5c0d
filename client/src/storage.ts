import { pause } from './waiting.ts';

/**
 * Where a session is kept between runs: one text, which nobody else may read. The client calls one method at a time and
 * never lets a failure of any of them end a session.
 */
export interface SessionStorage {
  /** What was written last; null for nothing. */
  read(): string | null | Promise<string | null>;
  /** Keeps a text, or with null forgets it. The client uses a new pair only when this is done. */
  write(text: string | null): void | Promise<void>;
  /** Says when somebody else (another tab) wrote. @returns what stops it */
  watch?(changed: () => void): () => void;
  /** Runs something while nobody else who shares this storage runs anything under it. Without it: nobody in this client. */
  exclusively?(run: () => Promise<void>): Promise<void>;
}

/** Keeps nothing beyond the life of the page or process. */
export function memoryStorage(): SessionStorage {
  let kept: string | null = null;
  return {
    read: () => kept,
    write(text) {
      kept = text;
    },
  };
}

/** The part of `localStorage` and `sessionStorage` that is needed. */
export interface WebStorage {
  getItem(key: string): string | null;
  setItem(key: string, text: string): void;
  removeItem(key: string): void;
}

/** The part of `navigator.locks` that is needed. */
export interface Locks {
  request(name: string, options: { signal: AbortSignal }, run: () => Promise<void>): Promise<unknown>;
}

/** The part of `window` that is needed. */
export interface StorageEvents {
  addEventListener(type: 'storage', listener: (event: { readonly key: string | null }) => void): void;
  removeEventListener(type: 'storage', listener: (event: { readonly key: string | null }) => void): void;
}

/** What a page has for tabs to get along with; each may be missing. */
export interface WebPage {
  readonly localStorage?: WebStorage;
  readonly navigator?: { readonly locks?: Locks };
  readonly addEventListener?: StorageEvents['addEventListener'];
  readonly removeEventListener?: StorageEvents['removeEventListener'];
}

/**
 * Shared by all tabs of an origin. One tab at a time refreshes (Web Locks) and all see what another did. Browsers without
 * Web Locks, and pages that are not served securely, rely on the server's 30 seconds instead.
 *
 * @param key under which `localStorage` keeps it
 * @param page what to use instead of the page's own
 * @returns storage in memory where there is no `localStorage`, or the browser blocks it
 */
export function webStorage(key = 'latchkey', page: WebPage = globalThis): SessionStorage {
  let items: WebStorage | undefined;
  try {
    items = page.localStorage;
  } catch {
    // Blocked by the browser.
  }
  if (!items) return memoryStorage();
  return {
    read: () => items.getItem(key),
    write: (text) => (text === null ? items.removeItem(key) : items.setItem(key, text)),
    watch(changed) {
      const listener = (event: { readonly key: string | null }) => {
        // No key: everything was cleared.
        if (event.key === key || event.key === null) changed();
      };
      page.addEventListener?.('storage', listener);
      return () => page.removeEventListener?.('storage', listener);
    },
    async exclusively(run) {
      // A tab that was frozen while it held the lock must not hold up the others for longer. They go on without: the server
      // gives two refreshes with one token within 30 seconds the same successor.
      const patience = 15_000;
      // For a tab that has the lock, longer than what another has written takes to get there. A lock that was free is granted
      // within a millisecond or two, and then there is little to wait for.
      const news = 200;
      let running: Promise<void> | undefined;
      const asked = performance.now();
      const once = () => (running ??= run());
      try {
        await page.navigator?.locks?.request(key, { signal: AbortSignal.timeout(patience) }, () =>
          // The grant may overtake what the tab that had the lock has written: seen in Chromium on a busy machine.
          pause(Math.min(news, 10 * (performance.now() - asked))).then(once),
        );
      } catch {
        // Refused by the browser, or not got in time. What `run` itself fails with comes now.
      }
      return once();
    },
  };
}
