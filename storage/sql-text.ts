/**
 * What can be seen of a statement without understanding it: first word, number of statements, parameters, names used.
 * Follows SQLite's own tokenizer for strings, quoted names and comments. It must never be the only judge of what is
 * allowed: drivers ask the database too, and where the two disagree the stricter one wins.
 */

export interface SqlText {
  /** First word in upper case, or '' when the text begins with something else. */
  readonly first_word: string;
  /** How many statements the text holds. A trigger's body counts too: its semicolons look the same from here. */
  readonly statement_count: number;
  /** Named parameters without their `:`, `@` or `$`, each once. */
  readonly parameter_names: readonly string[];
  /** Every word and quoted name or string in lower case, without its quotes. */
  readonly names: ReadonlySet<string>;
  /**
   * The text to compile: `LIMIT :n` as `LIMIT (:n + 0)`. SQLite plans with the value that is bound to a bare limit, and so compiles the statement
   * anew each time one is bound: ten times what most of these statements cost to run.
   */
  readonly compiled: string;
}

/** Comments and blanks first, then whatever is quoted, parameters, words, semicolons, and any other single character. */
const token_pattern =
  /(?<blank>[ \t\n\f\r]+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<quoted>'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|`(?:[^`]|``)*(?:`|$)|\[[^\]]*(?:\]|$))|[:@$](?<parameter>[\w$\u0080-\uffff]+)|(?<word>[\w$\u0080-\uffff]+)|(?<end>;)|[\s\S]/gu;

const SEEN = new Map<string, SqlText>();
/** Texts remembered: those of a program are a few hundred; whatever makes them up as it goes begins anew. */
const SEEN_MAX = 2_000;

/** Looks at `sql`. Never throws: broken SQL is for the database to refuse. */
export function readSqlText(sql: string): SqlText {
  let text = SEEN.get(sql);
  if (text === undefined) {
    text = lookAt(sql);
    if (SEEN.size >= SEEN_MAX) SEEN.clear();
    SEEN.set(sql, text);
  }
  return text;
}

function lookAt(sql: string): SqlText {
  let first_word: string | undefined;
  let statement_count = 0;
  let inside_statement = false;
  const parameter_names = new Set<string>();
  const names = new Set<string>();
  let compiled = '';
  let word_before = '';

  for (const { 0: token, groups } of sql.matchAll(token_pattern)) {
    const is_bare_limit = groups?.parameter !== undefined && word_before === 'LIMIT';
    compiled += is_bare_limit ? `(${token} + 0)` : token;
    if (groups?.blank !== undefined) continue;
    word_before = groups?.word?.toUpperCase() ?? '';
    if (groups?.end !== undefined) {
      inside_statement = false;
      continue;
    }
    first_word ??= groups?.word?.toUpperCase() ?? '';
    if (!inside_statement) statement_count += 1;
    inside_statement = true;
    if (groups?.parameter !== undefined) parameter_names.add(groups.parameter);
    else if (groups?.word !== undefined) names.add(groups.word.toLowerCase());
    else if (groups?.quoted !== undefined) names.add(groups.quoted.slice(1, -1).toLowerCase());
  }
  return {
    first_word: first_word ?? '',
    statement_count,
    parameter_names: [...parameter_names],
    names,
    compiled,
  };
}
