/**
 * What a system of the field has to be able to do to be measured here: be a peer that has messages and lets others come, and be
 * one that has none and fetches them. `systems/NAME.js` is one such system; `worker.ts` runs one side of it in a process of its own.
 */

/** What the numbers of a system mean; printed beside each. Words, not marks: what it does per message differs in kind. */
export interface Facts {
  /** As people call it, and how it is used here where there are several ways. */
  readonly title: string;
  /** Packages whose versions are told: read from what is installed. */
  readonly packages: readonly string[];
  /** Does the receiver check a signature of each message's author? */
  readonly checks_signature: string;
  /** Is what is stored and sent sealed (encrypted) against who carries it? */
  readonly seals: string;
  /** What has happened to a message when the receiver, or `append`, says that it is stored. */
  readonly stored: string;
  /** What runs in the two processes, and over what they talk. */
  readonly between: string;
}

/** What the empty peer has to know of the full one: a key, an account, an id. JSON. */
export type Ticket = Readonly<Record<string, unknown>>;

export interface FullPeer {
  readonly ticket: Ticket;
  /** Stores many messages, as fast as the system offers. Not measured. */
  fill(texts: readonly string[]): Promise<void>;
  /** Stores one message; resolves when the system says that it is stored (`Facts.stored`). */
  append(text: string): Promise<void>;
  /** Lets others connect, on a port of 127.0.0.1 that it gives back. Is called once. */
  listen(): Promise<number>;
  /** Resolves when others can fetch what was stored so far; only where that is not so at once. Not measured. */
  share?(): Promise<void>;
}

export interface EmptyPeer {
  /** Becomes a member while there are no messages yet (fetches an account, say), and is disconnected again. Not measured. */
  join?(port: number): Promise<void>;
  /** Connects to 127.0.0.1 and begins to fetch; need not wait for anything. */
  connect(port: number): Promise<void>;
  /** Resolves once `count` messages or more can be read, and are stored as `Facts.stored` says. */
  until(count: number): Promise<void>;
  /** The texts of all messages but the first `since`, in the system's order, read as an application reads them. */
  texts(since: number): Promise<readonly string[]>;
  disconnect(): Promise<void>;
}

export interface System {
  readonly facts: Facts;
  /** Opens a new store in an empty folder. */
  openFull(folder: string): Promise<FullPeer>;
  /** Opens the store in a folder: an empty one, or one that it was in before. Must not connect yet. */
  openEmpty(folder: string, ticket: Ticket): Promise<EmptyPeer>;
}
