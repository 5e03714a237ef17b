/**
 * Checks that an event is what its header says and that its author signed it, in order of cost: shape, network, known already, hash of
 * the body, signature. Needs no secret and nothing of what the body says.
 */
import { SottoError } from '../../../core/assert.ts';
import type { Header, Identity } from '../../../core/envelope.ts';
import { decodeHeader, eventIdOf } from '../../../core/event-codec.ts';
import type { Id } from '../../../core/fields.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { advance, duplicate, reject } from '../../../core/outcome.ts';
import { blake2b256 } from '../../../crypto/hash.ts';
import { verify as verifySignature } from '../../../crypto/sign.ts';
import { advanceChain } from './chain.ts';
import { audienceOfHeader, standingOf } from './store.ts';
import { mergeWraps } from './waiting.ts';

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
    if (standing === 'dead') return reject('dead');
    if (standing === 'waiting' && raw.wraps.length > 0) {
      const merged = mergeWraps(context, identity, event_id, raw.wraps);
      return merged === null
        ? duplicate
        : advance({ ...envelope, stage: 'verified', event_id, header, raw: merged });
    }
    if (standing !== 'unknown') return duplicate;
    if (blake2b256(raw.body).toHex() !== header.body_hash) return reject('body_hash_differs');
    if (!verifySignature(raw.signature, Uint8Array.fromHex(event_id), Uint8Array.fromHex(header.author)))
      return reject('bad_signature');
    takeUpOwnChain(context, identity, header, event_id);
    return advance({ ...envelope, stage: 'verified', event_id, header });
  },
});
