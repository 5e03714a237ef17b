/**
 * Takes in a signed header without its event, which is gone: one link in a chain, wanted only where a walk stands at it or where it is known to be missing;
 * or the last of our own events, where our data was restored from an older state. See `chain.ts`.
 */
import { SottoError } from '../../../core/assert.ts';
import type { Header } from '../../../core/envelope.ts';
import { handler } from '../../../core/handler.ts';
import { decodeHeader, eventIdOf } from '../../../core/header-codec.ts';
import { duplicate, emit, reject } from '../../../core/outcome.ts';
import { blake2b256 } from '../../../crypto/hash.ts';
import { verify as verifySignature } from '../../../crypto/sign.ts';
import { isGap, isMissing, keepHeader, moveGap } from './chain.ts';
import { isAwaited } from './judge.ts';
import { provedBy } from './prove.ts';
import { standingOf } from './store.ts';
import { takeUpOwnChain } from './verify.ts';

export const link = handler({
  name: 'link',
  takes: 'header',
  gives: [],
  process: (envelope, context) => {
    const { identity, header: bytes, signature } = envelope;
    let header: Header;
    try {
      header = decodeHeader(bytes);
    } catch (thrown) {
      if (thrown instanceof SottoError) return reject(thrown.code);
      throw thrown;
    }
    const event_id = eventIdOf(header.created_ms, blake2b256(bytes));
    if (header.network_id !== context.scope(identity).me?.network_id) return reject('other_network');
    if (standingOf(context, identity, event_id).standing !== 'unknown') return duplicate;
    const is_own = header.author === context.scope(identity).me?.device_id;
    const is_awaited = isAwaited(context, identity, event_id);
    const is_missing = isMissing(context, identity, event_id);
    if (!is_own && !is_awaited && !is_missing && !isGap(context, identity, event_id))
      return reject('header_not_wanted');
    if (!verifySignature(signature, Uint8Array.fromHex(event_id), Uint8Array.fromHex(header.author)))
      return reject('bad_signature');
    if (is_own) {
      takeUpOwnChain(context, identity, header, event_id);
      return emit([]);
    }
    keepHeader(context, identity, event_id, { header: bytes, signature });
    if (is_missing) moveGap(context, identity, event_id, header.prev);
    return emit(provedBy(envelope, event_id, header, context));
  },
});
