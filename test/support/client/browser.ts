/** One browser: tabs that share `localStorage`, its events and Web Locks, each of which can be taken away. */
import { createClient, webStorage, type Client, type Locks, type WebPage } from '../../../client/src/latchkey.ts';
import { BASE_URL, type AuthServer } from './auth-server.ts';

type Listener = (event: { readonly key: string | null }) => void;

export interface Tab {
  readonly client: Client;
  readonly page: WebPage;
  /** Every session it showed, in order. */
  readonly shown: string[];
  /** Closes it in the middle of whatever it does. */
  kill(): void;
}

export class Browser {
  readonly items = new Map<string, string>();
  readonly hasLocks: boolean;
  /** Whether writing fails, as it does when a disk is full. */
  isFull = false;
  readonly #server: AuthServer;
  readonly #tabs = new Set<Listener[]>();
  readonly #queue: (() => void)[] = [];
  #isLocked = false;

  constructor(server: AuthServer, { hasLocks = true } = {}) {
    this.#server = server;
    this.hasLocks = hasLocks;
  }

  open(): Tab {
    const listeners: Listener[] = [];
    this.#tabs.add(listeners);
    const state = { isDead: false };
    let unlock: (() => void) | undefined;
    const changed = (key: string, change: () => void) => {
      if (state.isDead) return;
      if (this.isFull) throw new Error('QuotaExceededError');
      change();
      for (const others of this.#tabs) {
        if (others !== listeners) setTimeout(() => others.forEach((listener) => listener({ key })), 1);
      }
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
        getItem: (key) => this.items.get(key) ?? null,
        setItem: (key, text) => changed(key, () => this.items.set(key, text)),
        removeItem: (key) => changed(key, () => this.items.delete(key)),
      },
      ...(this.hasLocks && { navigator: { locks } }),
      addEventListener: (_type, listener) => void listeners.push(listener),
      removeEventListener: (_type, listener) => void listeners.splice(listeners.indexOf(listener), 1),
    };
    const client = createClient({
      baseUrl: BASE_URL,
      storage: webStorage('latchkey', page),
      fetch: async (input, init) => {
        const answer = await this.#server.fetch(input, init);
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
        this.#tabs.delete(listeners);
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
    else next();
  }
}
