export interface Pair {
  readonly access: string;
  readonly refresh: string;
}

/** Where the pair is kept: written whole or not at all. */
export interface PairStore {
  read(): Pair | undefined;
  write(pair: Pair | undefined): void;
}

export function latchkey(base: string, store: PairStore) {
  const post = (path: string, body: object) =>
    fetch(base + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });

  async function exchange(): Promise<Pair | undefined> {
    const held = store.read();
    if (held === undefined) return undefined;
    // Throws where there is no network. The session lives on.
    const answer = await post('/api/token/refresh', { refresh: held.refresh });
    const body = (await answer.json()) as Partial<Pair> & { code?: string };
    // Somebody logged in or out meanwhile: what they did counts.
    if (store.read()?.refresh !== held.refresh) return store.read();
    const { access, refresh, code = '' } = body;
    if (answer.ok && access !== undefined && refresh !== undefined) {
      const pair = { access, refresh };
      store.write(pair); // before it is used: the old one is spent
      return pair;
    }
    if (answer.status === 401 && ['token_not_valid', 'no_active_account'].includes(code)) {
      store.write(undefined); // the only way to be logged out from afar
      return undefined;
    }
    throw new Error(`The refresh was answered ${answer.status}. Try again later.`);
  }

  let exchanging: Promise<Pair | undefined> | undefined;
  /** One at a time: whoever comes meanwhile waits for the same answer. */
  const renew = () => (exchanging ??= exchange().finally(() => (exchanging = undefined)));

  return {
    renew,

    async login(username: string, password: string) {
      const answer = await post('/api/token', { username, password });
      const body = (await answer.json()) as Pair & { detail?: string };
      if (!answer.ok) throw new Error(body.detail);
      store.write({ access: body.access, refresh: body.refresh });
    },

    async logout() {
      const held = store.read();
      store.write(undefined);
      if (held !== undefined) await post('/api/token/blacklist', { refresh: held.refresh });
    },

    async fetch(path: string, init: RequestInit = {}) {
      const send = (pair: Pair | undefined) => {
        const headers = new Headers(init.headers);
        if (pair !== undefined) headers.set('Authorization', `Bearer ${pair.access}`);
        return fetch(base + path, { ...init, headers });
      };
      const held = store.read();
      const answer = await send(held);
      if (answer.status !== 401 || held === undefined) return answer;
      const now = store.read();
      const next = now?.access === held.access ? await renew() : now;
      return next === undefined ? answer : send(next);
    },
  };
}
