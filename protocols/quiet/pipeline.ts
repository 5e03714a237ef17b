/**
 * The order in which everything is handled, from the socket to the row and back. Read it from top to bottom: an envelope enters where its
 * stage fits and goes down; nothing goes up. What a handler leads to enters again at the top.
 */
import { pipelineOf } from '../../core/handler.ts';
import { adoptKnownTypes } from './handlers/adopt.ts';
import { installContent } from './handlers/content.ts';
import { deleteEvents, eraseEvents } from './handlers/delete.ts';
import { dirty } from './handlers/dirty.ts';
import { estimates } from './handlers/estimates.ts';
import { eventStore } from './handlers/event-store.ts';
import { forgetIdentity } from './handlers/forget-identity.ts';
import { instruct } from './handlers/instruct.ts';
import { judge } from './handlers/judge.ts';
import { keygen } from './handlers/keygen.ts';
import { link } from './handlers/link.ts';
import { mint } from './handlers/mint.ts';
import { open } from './handlers/open.ts';
import { openKey } from './handlers/open-key.ts';
import { installPlace } from './handlers/place.ts';
import { project } from './handlers/project.ts';
import { prove } from './handlers/prove.ts';
import { purge, receipt, retire } from './handlers/purge.ts';
import { receive } from './handlers/receive.ts';
import { reflect } from './handlers/reflect.ts';
import { rememberRefused } from './handlers/refuse.ts';
import { rekey } from './handlers/rekey.ts';
import { release } from './handlers/release.ts';
import { releaseDue } from './handlers/release-due.ts';
import { replaceEvents } from './handlers/replace.ts';
import { resolveDeps } from './handlers/resolve-deps.ts';
import { send } from './handlers/send.ts';
import { sign } from './handlers/sign.ts';
import { standing } from './handlers/standing.ts';
import { validate } from './handlers/validate.ts';
import { verify } from './handlers/verify.ts';
import { installSums } from './reconcile/fingerprint.ts';
import { foldSums } from './reconcile/sums.ts';

export const pipeline = {
  handlers: pipelineOf([
    receive, //        frame       -> its items, each on its own
    link, //           header      -> a link in a removed device's chain
    verify, //         received    -> verified: id, hash and signature fit
    prove, //          verified    -> what stood for want of it goes on
    open, //           verified    -> opened: unsealed, and the body has its type's shape; or waits for a key
    send, //           outgoing    -> to the network, after the commit
    sign, //           outgoing    -> opened: an event of ours, sealed and signed
    keygen, //         instruction -> a keypair
    forgetIdentity, // instruction -> one identity of this node is gone
    releaseDue, //     instruction -> what has waited for its time
    instruct, //       instruction -> opened: an event of class local
    resolveDeps, //    opened      -> opened, or waits for what it rests on
    validate, //       opened      -> valid: every rule of its type holds
    eventStore, //     valid       -> stored
    replaceEvents, //  valid       -> what it edits lives on with its content
    project, //        valid       -> rows
    openKey, //        valid       -> a group key is held
    standing, //       valid       -> whose events count is applied
    deleteEvents, //   valid       -> what it deletes is dead
    dirty, //          valid       -> a key that must go
    rekey, //          valid       -> content keys are sealed under another key
    mint, //           valid       -> a key is made where none fits
    eraseEvents, //    valid       -> what has expired or was replaced leaves the disk
    purge, //          valid       -> a key that nothing needs is zeroed
    retire, //         valid       -> prekeys are not to be used any more
    receipt, //        valid       -> that it is gone is noted
    judge, //          valid       -> facts are judged anew
    release, //        valid       -> what waited for it goes on
    reflect, //        valid       -> what its reflectors answer
  ]),
  estimates,
  secret_tables: ['key_slot', 'key_slot_use', 'key_slot_lock'],
  rejected: rememberRefused,
  adopt: adoptKnownTypes,
  before_commit: foldSums,
  install: (db: Parameters<typeof installContent>[0]) => {
    installContent(db);
    installSums(db);
    installPlace(db);
  },
};
