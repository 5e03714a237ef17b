/**
 * One command of the CLI: what it asks the node, and how it shows the answer. `verb` gives each the options, the help and the two outputs
 * that all have, so that a command file holds only what is its own.
 */

import type { Command } from 'commander';
import type { NodeFacade } from '../api/facade.ts';
import type { FollowedEvent, NodeClient } from './node-client.ts';
import { printableLines } from './words.ts';

/** What a method of the facade answers, as it comes over HTTP. */
export type Answer<Method extends keyof NodeFacade> = Awaited<ReturnType<NodeFacade[Method]>>;

/** Options as commander read them. Each command casts what it declared. */
export interface Options {
  readonly data: string;
  readonly json: boolean;
  readonly network?: string;
  readonly as?: string;
  readonly limit?: number;
}

interface Once<Result> {
  ask(node: NodeClient, args: readonly string[], options: Options): Promise<Result>;
  /** The answer for people. */
  show(result: Result, options: Options, args: readonly string[]): string;
  /** The exit code, where it says more than that the node answered. */
  exitCode?(result: Result): number;
  /** What is owed once the answer is out. Where the node refuses it, that is a remark: the answer stands. */
  afterwards?: {
    readonly what: string;
    ask(node: NodeClient, result: Result, args: readonly string[], options: Options): Promise<void>;
  };
}

interface Following<Item> {
  /** Yields what to print, one at a time, until the node or the person ends it. */
  follow(node: NodeClient, options: Options): AsyncGenerator<Item>;
  show(item: Item): string;
}

/** Makes `command` ask once. `example` is a line to copy from `--help`. */
export function verb<Result>(
  command: Command,
  { example, ...once }: Once<Result> & { example: string },
): void {
  withExample(command, example).action(() => runOnce(command, once));
}

/** Asks and prints one answer: with `--json` the node's own document, else words. */
export async function runOnce<Result>(
  command: Command,
  { ask, show, exitCode, afterwards }: Once<Result>,
): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  const node = await connect(options);
  const result = await ask(node, command.args, options);
  print(options.json ? JSON.stringify(result) : show(result, options, command.args));
  if (exitCode !== undefined) process.exitCode = exitCode(result);
  try {
    await afterwards?.ask(node, result, command.args, options);
  } catch (thrown) {
    const { CliFailure } = await import('./failure.ts');
    if (!(thrown instanceof CliFailure)) throw thrown;
    process.stderr.write(`sotto: ${afterwards?.what} failed: ${printableLines(thrown.message, 0)}\n`);
  }
}

/** Prints as long as there is something to tell: with `--json` one document per line. */
export async function runFollowing<Item>(command: Command, { follow, show }: Following<Item>): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  for await (const item of follow(await connect(options), options)) {
    print(options.json ? JSON.stringify(item) : show(item));
  }
}

/** Reads one kind of event; throws where the stream ends, which it never does by itself. */
export async function* eventsOf<Data>(
  stream: AsyncIterable<FollowedEvent>,
  name: string,
): AsyncGenerator<Data> {
  const { refused, unreachable } = await import('./failure.ts');
  for await (const { event, data } of stream) {
    if (event === 'lagged') {
      throw refused('lagged', 'This side read too slowly, and the node ended the stream. Run it again.');
    }
    if (event === name) yield data as Data;
  }
  throw unreachable('node_stopped', 'The node has ended.');
}

/** Adds a command that only holds others, such as `jobs`. */
export function addGroup(program: Command, name: string, description: string, example: string): Command {
  return withExample(program.command(name).description(description), example);
}

/** Adds the options that pick network and identity where there is a choice. */
export function withSelectors(command: Command): Command {
  return command
    .option('--network <network>', "the network's name or id, if this node is in more than one")
    .option('--as <user>', 'the identity to use, if this node has more than one in the network');
}

/** What of the options goes to the node as a selector. */
export function selectorIn(options: Options): { network?: string; as?: string } {
  return {
    ...(options.network !== undefined && { network: options.network }),
    ...(options.as !== undefined && { as: options.as }),
  };
}

export function withExample(command: Command, example: string): Command {
  return command.addHelpText('after', `\nExample:\n  $ sotto ${example}`);
}

/** Once per answer, so that it is printed whole or not at all. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Loaded only by commands that need it: `--help` does not. */
export async function connect(options: Options): Promise<NodeClient> {
  const { findNode } = await import('./node-client.ts');
  return findNode(options.data);
}
