/**
 * Checks that an event is what its header says and that its author signed it, in order of cost: shape, network, known already, hash of
 * the body, signature. Needs no secret and nothing of what the body says.
 */
import { SottoError } from '../../../core/assert.ts';
import type { Header, Identity, Wrap } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { decodeHeader, eventIdOf } from '../../../core/header-codec.ts';
import { advance, duplicate, reject } from '../../../core/outcome.ts';
import { wipe } from '../../../crypto/bytes.ts';
import { blake2b256 } from '../../../crypto/hash.ts';
import { verify as verifySignature } from '../../../crypto/sign.ts';
import { advanceChain } from './chain.ts';
import { heldKey } from './group-keys.ts';
import { audienceOfHeader, standingOf } from './store.ts';
import { mergeWraps } from './waiting.ts';
import { contentKeyOf, noteLateWrap } from './wraps.ts';

/** An event of our own that we do not have: our data was restored from an older state, and its chain goes on behind this event. */
export function takeUpOwnChain(
  context: HandlerContext,
  identity: Identity,
  header: Header,
  event_id: Id,
): void {
  if (header.author !== context.scope(identity).me?.device_id) return;
  advanceChain(context, identity, audienceOfHeader(context, header, event_id), header.seq, event_id);
}

/**
 * Somebody still has an event that was deleted (or edited) here, and may have it under keys that we did not know of: these are dirty, too. Believed only where the
 * wrap opens: the header's hash is its id, and it commits to the content key.
 */
function noteLateWraps(
  context: HandlerContext,
  identity: Identity,
  event_id: Id,
  header: Header,
  wraps: readonly Wrap[],
): void {
  const row = context
    .statement('SELECT n FROM event WHERE identity = :identity AND id = :id AND body IS NULL')
    .get({ identity, id: Uint8Array.fromHex(event_id) });
  if (row === undefined) return;
  for (const wrap of wraps) {
    const key = heldKey(context, identity, wrap.key_id);
    if (key === null) continue;
    const opened = contentKeyOf(context, event_id, header.key_commitment, { ...wrap, key });
    if (opened === null) continue;
    wipe(opened);
    noteLateWrap(context, row.n as number, key.n);
  }
}

export const verify = handler({
  name: 'verify',
  takes: 'received',
  gives: ['verified'],
  process: (envelope, context) => {
    const { raw, identity } = envelope;
    let header: Header;
    try {
      header = decodeHeader(raw.header);
    } catch (thrown) {
      if (thrown instanceof SottoError) return reject(thrown.code);
      throw thrown;
    }
    const event_id = eventIdOf(header.created_ms, blake2b256(raw.header));
    if ((header.network_id ?? event_id) !== context.scope(identity).me?.network_id)
      return reject('other_network');
    if (header.expires_ms <= context.now_ms) return reject('expired');
    const { standing } = standingOf(context, identity, event_id);
    if (standing === 'refused') return reject('refused_before');
    if (standing === 'dead' || standing === 'live')
      noteLateWraps(context, identity, event_id, header, raw.wraps);
    if (standing === 'dead') return reject('dead');
    if (standing === 'waiting' && raw.wraps.length > 0) {
      const merged = mergeWraps(context, identity, event_id, raw.wraps);
      return merged === null
        ? duplicate
        : advance({ ...envelope, stage: 'verified', event_id, header, raw: merged });
    }
    if (standing !== 'unknown') return duplicate;
    if (blake2b256(raw.body).toHex() !== header.body_hash) return reject('body_hash_differs');
    const holds =
      envelope.signature_holds === true ||
      verifySignature(raw.signature, Uint8Array.fromHex(event_id), Uint8Array.fromHex(header.author));
    if (!holds) return reject('bad_signature');
    takeUpOwnChain(context, identity, header, event_id);
    return advance({ ...envelope, stage: 'verified', event_id, header });
  },
});
