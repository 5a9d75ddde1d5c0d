/** A text that callers may keep. */
export interface Document {
  readonly mediaType: string;
  readonly text: string;
}

/** A page for people: the page itself, and what it loads by the names that it loads it by. */
export interface PageWithFiles {
  readonly page: Document;
  /** Their names change with what they say. */
  readonly files: Readonly<Record<string, Document>>;
}
