/**
 * A YAML file whose every value knows its line and column, for messages of the form `file:line:column: what was expected,
 * what came, and the nearest right word`. Mistakes are collected, so that one reading tells all of them.
 */
import { closest, distance } from 'fastest-levenshtein';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
} from 'yaml';

export class YamlFile {
  readonly #file: string;
  readonly #counter = new LineCounter();
  readonly #document: Document.Parsed;
  readonly #mistakes: { readonly offset: number; readonly message: string }[] = [];
  /** The file's outermost value; null in an empty or broken file. */
  readonly top: Node | null;
  /** Not YAML, as `mistakes` tells: nothing in it can be relied on. */
  readonly broken: boolean;

  constructor(file: string, text: string) {
    this.#file = file;
    this.#document = parseDocument(text, { lineCounter: this.#counter, prettyErrors: false });
    for (const { code, pos, message } of [...this.#document.errors, ...this.#document.warnings]) {
      const key = /^[^\s:]+/.exec(text.slice(pos[0]))?.[0] ?? '';
      this.#add(
        pos[0],
        code === 'DUPLICATE_KEY'
          ? `expected each key once, got '${key}' again`
          : `expected YAML, got a mistake in it: ${message}`,
      );
    }
    this.broken = this.#document.errors.length > 0;
    this.top = this.broken ? null : this.#document.contents;
  }

  complain(at: Node | null | undefined, message: string): void {
    this.#add(at?.range?.[0] ?? 0, message);
  }

  /** The value behind a node, as plain data. */
  plain(node: Node): unknown {
    return node.toJS(this.#document, { maxAliasCount: 100 });
  }

  /** The node itself, or what an alias stands for. */
  resolved(node: Node): Node {
    return (isAlias(node) ? node.resolve(this.#document) : node) ?? node;
  }

  /** A map with no other keys than `keys`; complains and gives null otherwise. `what` names it in the message. */
  section(node: Node | null, what: string, keys: readonly string[]): YamlSection | null {
    const map = node === null ? null : this.resolved(node);
    if (!isMap(map)) {
      this.complain(node, `expected ${what}, got ${kindOf(map)}`);
      return null;
    }
    const section = new YamlSection(this, map);
    for (const key of section.keys()) {
      if (!keys.includes(key))
        this.complain(section.keyNode(key), `expected ${listed(keys)}, got '${key}'.${nearest(key, keys)}`);
    }
    return section;
  }

  /** All that was complained about, in the order of the file. */
  mistakes(): string[] {
    const in_order = this.#mistakes.toSorted((one, other) => one.offset - other.offset);
    return in_order.map(({ offset, message }) => {
      const { line, col } = this.#counter.linePos(offset);
      return `${this.#file}:${Math.max(line, 1)}:${Math.max(col, 1)}: ${message}`;
    });
  }

  #add(offset: number, message: string): void {
    this.#mistakes.push({ offset, message });
  }
}

/** One map of the file. Each reader gives null for what is missing, and for what is wrong after complaining about it. */
export class YamlSection {
  readonly file: YamlFile;
  readonly node: YAMLMap;

  constructor(file: YamlFile, node: YAMLMap) {
    this.file = file;
    this.node = node;
  }

  keys(): string[] {
    return this.node.items.map(({ key }) => (isScalar(key) ? String(key.value) : String(key)));
  }

  keyNode(key: string): Node | null {
    return (this.node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key)?.key ??
      null) as Node | null;
  }

  has(key: string): boolean {
    return this.keys().includes(key);
  }

  /** The value of a key; where it has none (`key:` and nothing behind it), the key, for its place. */
  at(key: string): Node {
    return (this.node.get(key, true) as Node | undefined) ?? this.keyNode(key) ?? this.node;
  }

  /** The items of a list. */
  list(key: string, what: string): readonly Node[] | null {
    if (!this.has(key)) {
      this.file.complain(this.node, `expected '${key}:' with ${what}, got none`);
      return null;
    }
    const node = this.file.resolved(this.at(key));
    if (isSeq(node)) return node.items as Node[];
    this.file.complain(this.at(key), `expected ${what}, got ${kindOf(node)}`);
    return null;
  }

  text(key: string, what: string, pattern: RegExp): string | null {
    return this.#value(key, what, (value) => typeof value === 'string' && pattern.test(value)) as
      | string
      | null;
  }

  integer(key: string, min: number, max: number): number | null {
    const what = `a whole number from ${min} to ${max}`;
    return this.#value(
      key,
      what,
      (value) => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max,
    ) as number | null;
  }

  boolean(key: string): boolean | null {
    return this.#value(key, 'true or false', (value) => typeof value === 'boolean') as boolean | null;
  }

  choice<T extends string>(key: string, choices: readonly T[]): T | null {
    return this.#value(key, listed(choices), (value) => choices.includes(value as T), choices) as T | null;
  }

  #value(
    key: string,
    what: string,
    fits: (value: unknown) => boolean,
    words: readonly string[] = [],
  ): unknown {
    if (!this.has(key)) return null;
    const node = this.file.resolved(this.at(key));
    const value = isScalar(node) && node !== this.keyNode(key) ? node.value : undefined;
    if (fits(value)) return value;
    const near = typeof value === 'string' ? nearest(value, words) : '';
    this.file.complain(
      this.at(key),
      `expected ${what} for '${key}', got ${value === undefined ? kindOf(node === this.keyNode(key) ? null : node) : kindOf(node)}.${near}`,
    );
    return null;
  }
}

/** ` Did you mean 'x'?` when one of the words is near enough to be meant, else nothing. */
export function nearest(word: string, words: readonly string[]): string {
  if (words.length === 0) return '';
  const best = closest(word, words);
  const near =
    distance(word, best) <= Math.max(2, Math.floor(best.length / 3)) && distance(word, best) < best.length;
  return near ? ` Did you mean '${best}'?` : '';
}

/** `'a', 'b' or 'c'`. */
export function listed(words: readonly string[]): string {
  const quoted = words.map((word) => `'${word}'`);
  return quoted.length < 2
    ? (quoted[0] ?? 'nothing')
    : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}

/** A value of the file as a message may name it: what stands there, shortened. */
export function kindOf(node: Node | null | undefined): string {
  if (isMap(node)) return 'a map';
  if (isSeq(node)) return 'a list';
  if (!isScalar(node) || node.value === null || node.value === undefined) return 'nothing';
  const { value } = node;
  return typeof value === 'string'
    ? `'${value.length > 40 ? `${value.slice(0, 40)}...` : value}'`
    : String(value);
}
