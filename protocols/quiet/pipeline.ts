/**
 * The order in which everything is handled, from the socket to the row and back. Read it from top to bottom: an envelope enters where its
 * stage fits and goes down; nothing goes up. What a handler leads to enters again at the top.
 */
import { pipelineOf } from '../../core/handler.ts';
import { adoptKnownTypes } from './handlers/adopt.ts';
import { installContent } from './handlers/content.ts';
import { deleteEvents } from './handlers/delete.ts';
import { eventStore } from './handlers/event-store.ts';
import { instruct } from './handlers/instruct.ts';
import { keygen } from './handlers/keygen.ts';
import { open } from './handlers/open.ts';
import { project } from './handlers/project.ts';
import { receive } from './handlers/receive.ts';
import { reflect } from './handlers/reflect.ts';
import { rememberRefused } from './handlers/refuse.ts';
import { release } from './handlers/release.ts';
import { releaseDue } from './handlers/release-due.ts';
import { resolveDeps } from './handlers/resolve-deps.ts';
import { send } from './handlers/send.ts';
import { sign } from './handlers/sign.ts';
import { validate } from './handlers/validate.ts';
import { verify } from './handlers/verify.ts';
import { installFingerprint } from './reconcile/fingerprint.ts';

export const pipeline = {
  handlers: pipelineOf([
    receive, //      frame       -> its items, each on its own
    verify, //       received    -> verified: id, hash and signature fit
    open, //         verified    -> opened: the body has its type's shape
    send, //         outgoing    -> to the network, after the commit
    sign, //         outgoing    -> opened: an event of ours
    keygen, //       instruction -> a keypair
    releaseDue, //   instruction -> what has waited for its time
    instruct, //     instruction -> opened: an event of class local
    resolveDeps, //  opened      -> opened, or waits for what it rests on
    validate, //     opened      -> valid: every rule of its type holds
    eventStore, //   valid       -> stored
    project, //      valid       -> rows
    deleteEvents, // valid       -> what it deletes is dead
    release, //      valid       -> what waited for it goes on
    reflect, //      valid       -> what its reflectors answer
  ]),
  rejected: rememberRefused,
  adopt: adoptKnownTypes,
  install: (db: Parameters<typeof installContent>[0]) => {
    installContent(db);
    installFingerprint(db);
  },
};
