type Of<Tag extends keyof HTMLElementTagNameMap> = HTMLElementTagNameMap[Tag];

/** An element of the page by its id. @throws {Error} where there is none */
export function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no #${id}.`);
  return found;
}

/** The first element of a kind inside another. @throws {Error} where there is none */
export function within<Tag extends keyof HTMLElementTagNameMap>(parent: ParentNode, tag: Tag, rest = ''): Of<Tag> {
  const found = parent.querySelector<Of<Tag>>(`${tag}${rest}`);
  if (found === null) throw new Error(`The page has no ${tag}${rest} there.`);
  return found;
}

/** Says something at the top of the page, and to whoever hears it rather than sees it. */
export function announce(sentence: string): void {
  element('status').textContent = sentence;
}
