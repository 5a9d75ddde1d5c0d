/**
 * One browser: tabs that share `localStorage`, its events, Web Locks, broadcast channels and cookies; the first four can be
 * taken away.
 */
import { createClient as createCookieClient, type CookieClient, type CookiePage } from '../../../client/src/cookie.ts';
import { createClient, webStorage, type WebPage } from '../../../client/src/latchkey.ts';
import { BASE_URL } from './auth-server.ts';

type Listener = (event: { readonly key: string | null }) => void;

export interface Tab {
  readonly client: CookieClient;
  readonly page: WebPage & CookiePage;
  /** Every session it showed, in order. */
  readonly shown: string[];
  /** Closes it in the middle of whatever it does. */
  kill(): void;
  /** It does nothing any more, and keeps its lock; what the network brings for it goes on, cookies first. */
  freeze(): void;
  thaw(): void;
}

export interface BrowserOptions {
  readonly hasLocks?: boolean;
  readonly hasChannels?: boolean;
  readonly hasStorage?: boolean;
  readonly baseUrl?: string;
  /** Whether its tabs have their refresh token in a cookie; in `localStorage` unless told. */
  readonly isCookieMode?: boolean;
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

/** What of a tab goes on or stands still. */
interface State {
  isDead: boolean;
  /** Until when it is frozen. */
  thawed: Promise<void> | undefined;
}

export class Browser {
  /** What all tabs will agree on. */
  readonly items = new Map<string, string>();
  readonly cookies = new Map<string, string>();
  readonly hasLocks: boolean;
  /** Whether writing fails, as it does when there is no room; removing never does. */
  isFull = false;
  /** How long a message takes from tab to tab. */
  messageMs = 2 * WAY_MS;
  readonly #fetch: typeof globalThis.fetch;
  readonly #options: BrowserOptions;
  readonly #views = new Set<View>();
  readonly #queue: (() => void)[] = [];
  readonly #channels = new Map<object, (message: string) => void>();
  #isLocked = false;

  constructor({ fetch }: { fetch: typeof globalThis.fetch }, options: BrowserOptions = {}) {
    this.#fetch = fetch;
    this.#options = options;
    this.hasLocks = options.hasLocks ?? true;
  }

  open(): Tab {
    const { baseUrl = BASE_URL, hasChannels = true, hasStorage = true, isCookieMode = false } = this.#options;
    const view: View = { items: new Map(this.items), listeners: [], pending: 0 };
    const { listeners } = view;
    this.#views.add(view);
    const state: State = { isDead: false, thawed: undefined };
    let unlock: (() => void) | undefined;
    const changed = (key: string, text: string | undefined) => {
      if (state.isDead) return;
      if (this.isFull && text !== undefined) throw new Error('QuotaExceededError');
      put(view.items, key, text);
      view.pending += 1;
      setTimeout(() => this.#published(view, key, text), WAY_MS);
    };
    const locks = {
      request: async (
        _name: string,
        { signal, ifAvailable }: { readonly signal?: AbortSignal; readonly ifAvailable?: boolean },
        run: (lock: object | null) => unknown,
      ) => {
        if (ifAvailable && this.#isLocked) return run(null);
        await this.#locked(signal);
        if (state.isDead) {
          this.#unlock();
          return;
        }
        unlock = () => this.#unlock();
        try {
          return await run({});
        } finally {
          await state.thawed;
          if (!state.isDead) this.#unlock();
          unlock = undefined;
        }
      },
    };
    const page: WebPage & CookiePage = {
      ...(hasStorage && {
        localStorage: {
          getItem: (key) => view.items.get(key) ?? null,
          setItem: changed,
          removeItem: (key) => changed(key, undefined),
        },
      }),
      ...(this.hasLocks && { navigator: { locks } }),
      ...(hasChannels && { BroadcastChannel: this.#channelOf(state) }),
      addEventListener: (_type, listener) => void listeners.push(listener),
      removeEventListener: (_type, listener) => void listeners.splice(listeners.indexOf(listener), 1),
    };
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const answer = await this.#sent(input, init, state);
      await state.thawed;
      return state.isDead ? new Promise<never>(() => undefined) : answer;
    };
    const client = isCookieMode
      ? createCookieClient({ baseUrl, fetch, page })
      : createClient({ baseUrl, fetch, storage: webStorage('latchkey', page) });
    const shown: string[] = [];
    client.subscribe((session) => shown.push(session.status));
    let thaw: (() => void) | undefined;
    return {
      client,
      page,
      shown,
      kill: () => {
        state.isDead = true;
        this.#views.delete(view);
        client.close();
        unlock?.();
      },
      freeze: () => (state.thawed ??= new Promise((resolve) => (thaw = resolve))),
      thaw: () => {
        state.thawed = undefined;
        thaw?.();
      },
    };
  }

  /** Sends a request with its cookies. Those of the answer are taken as soon as it is there, if it is still waited for. */
  async #sent(input: Parameters<typeof fetch>[0], init: RequestInit = {}, state: State): Promise<Response> {
    if (init.credentials !== 'include') return this.#fetch(input, init);
    const headers = new Headers(init.headers);
    headers.set('Sec-Fetch-Site', 'same-origin');
    if (this.cookies.size > 0) headers.set('Cookie', [...this.cookies].map((pair) => pair.join('=')).join('; '));
    const network = new AbortController();
    const end = (): void => {
      if (!state.thawed) network.abort(init.signal?.reason);
    };
    // Of what was given up before, nothing comes either.
    if (init.signal?.aborted) end();
    init.signal?.addEventListener('abort', end);
    const answer = await this.#fetch(input, { ...init, headers, signal: network.signal });
    if (state.isDead) return answer;
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      put(this.cookies, name, cookie.includes('Max-Age=0') ? undefined : value);
    }
    return answer;
  }

  #channelOf(state: State): NonNullable<CookiePage['BroadcastChannel']> {
    const channels = this.#channels;
    const way = () => this.messageMs;
    return class {
      onmessage: unknown;
      constructor() {
        channels.set(this, (data) => {
          const take = () => !state.isDead && (this.onmessage as (event: { data: string }) => void)({ data });
          if (state.thawed) void state.thawed.then(take);
          else take();
        });
      }
      postMessage(message: string) {
        if (state.isDead) return;
        const others = [...channels].filter(([channel]) => channel !== this);
        const send = () => others.forEach(([, take]) => setTimeout(() => take(message), way()));
        if (state.thawed) void state.thawed.then(send);
        else send();
      }
      close() {
        channels.delete(this);
      }
    };
  }

  async #locked(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#isLocked) {
      this.#isLocked = true;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      this.#queue.push(resolve);
      signal?.addEventListener('abort', () => {
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
