/** One browser: tabs that share `localStorage`, its events and Web Locks, each of which can be taken away. */
import { createClient, webStorage, type Client, type Locks, type WebPage } from '../../../client/src/latchkey.ts';
import { BASE_URL } from './auth-server.ts';

type Listener = (event: { readonly key: string | null }) => void;

export interface Tab {
  readonly client: Client;
  readonly page: WebPage;
  /** Every session it showed, in order. */
  readonly shown: string[];
  /** Closes it in the middle of whatever it does. */
  kill(): void;
}

/** How long a write takes to the browser's own process, and from there to each tab. Tabs see their own writes at once. */
const WAY_MS = 3;

/** A tab's view of the shared items. */
interface View {
  readonly items: Map<string, string>;
  readonly listeners: Listener[];
  /** Writes of its own that are on their way: until they are back, it takes no others. */
  pending: number;
}

export class Browser {
  /** What all tabs will agree on. */
  readonly items = new Map<string, string>();
  readonly hasLocks: boolean;
  /** Whether writing fails, as it does when there is no room; removing never does. */
  isFull = false;
  readonly #fetch: typeof globalThis.fetch;
  readonly #baseUrl: string;
  readonly #views = new Set<View>();
  readonly #queue: (() => void)[] = [];
  #isLocked = false;

  constructor({ fetch }: { fetch: typeof globalThis.fetch }, { hasLocks = true, baseUrl = BASE_URL } = {}) {
    this.#fetch = fetch;
    this.#baseUrl = baseUrl;
    this.hasLocks = hasLocks;
  }

  open(): Tab {
    const view: View = { items: new Map(this.items), listeners: [], pending: 0 };
    const { listeners } = view;
    this.#views.add(view);
    const state = { isDead: false };
    let unlock: (() => void) | undefined;
    const changed = (key: string, text: string | undefined) => {
      if (state.isDead) return;
      if (this.isFull && text !== undefined) throw new Error('QuotaExceededError');
      put(view.items, key, text);
      view.pending += 1;
      setTimeout(() => this.#published(view, key, text), WAY_MS);
    };
    const locks: Locks = {
      request: async (_name, { signal }, run) => {
        await this.#locked(signal);
        if (state.isDead) {
          this.#unlock();
          return;
        }
        unlock = () => this.#unlock();
        try {
          await run();
        } finally {
          if (!state.isDead) this.#unlock();
          unlock = undefined;
        }
      },
    };
    const page: WebPage = {
      localStorage: {
        getItem: (key) => view.items.get(key) ?? null,
        setItem: changed,
        removeItem: (key) => changed(key, undefined),
      },
      ...(this.hasLocks && { navigator: { locks } }),
      addEventListener: (_type, listener) => void listeners.push(listener),
      removeEventListener: (_type, listener) => void listeners.splice(listeners.indexOf(listener), 1),
    };
    const client = createClient({
      baseUrl: this.#baseUrl,
      storage: webStorage('latchkey', page),
      fetch: async (input, init) => {
        const answer = await this.#fetch(input, init);
        return state.isDead ? new Promise<never>(() => undefined) : answer;
      },
    });
    const shown: string[] = [];
    client.subscribe((session) => shown.push(session.status));
    return {
      client,
      page,
      shown,
      kill: () => {
        state.isDead = true;
        this.#views.delete(view);
        unlock?.();
      },
    };
  }

  async #locked(signal: AbortSignal): Promise<void> {
    if (!this.#isLocked) {
      this.#isLocked = true;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      this.#queue.push(resolve);
      signal.addEventListener('abort', () => {
        const at = this.#queue.indexOf(resolve);
        if (at >= 0) this.#queue.splice(at, 1);
        reject(signal.reason as Error);
      });
    });
  }

  #unlock(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#isLocked = false;
    else setTimeout(next, 3 * WAY_MS);
  }

  #published(from: View, key: string, text: string | undefined): void {
    put(this.items, key, text);
    for (const view of this.#views) {
      setTimeout(() => {
        if (view === from) view.pending -= 1;
        if (view === from || view.pending > 0) return;
        put(view.items, key, text);
        view.listeners.forEach((listener) => listener({ key }));
      }, WAY_MS);
    }
  }
}

function put(items: Map<string, string>, key: string, text: string | undefined): void {
  if (text === undefined) items.delete(key);
  else items.set(key, text);
}
