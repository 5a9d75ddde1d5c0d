/** The part of `localStorage` that is needed. */
export interface DebtStorage {
  getItem(key: string): string | null;
  setItem(key: string, text: string): void;
  removeItem(key: string): void;
}

/** Whether the server must still be told of a log out: until it was, there is a cookie that no script can take away. */
export interface Debt {
  readonly isOwed: () => boolean;
  readonly owe: () => void;
  readonly settle: () => void;
}

/** Remembered by all tabs and over reloads, where the page has a `localStorage`; by this page alone elsewhere. */
export function debtIn(key: string, page: { readonly localStorage?: DebtStorage }): Debt {
  let isHere = false;

  function inStorage(use: (items: DebtStorage) => unknown): unknown {
    try {
      return page.localStorage && use(page.localStorage);
    } catch {
      return undefined;
    }
  }

  return {
    isOwed: () => isHere || Boolean(inStorage((items) => items.getItem(key))),
    owe() {
      isHere = true;
      inStorage((items) => {
        items.setItem(key, '1');
        isHere = false;
      });
    },
    settle() {
      isHere = false;
      inStorage((items) => items.removeItem(key));
    },
  };
}
